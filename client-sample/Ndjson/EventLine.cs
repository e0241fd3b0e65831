using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace KawaOrleans.ClientSample.Ndjson;

/// <summary>One event as one line of JSON.</summary>
/// <remarks>
/// <c>stream</c>, <c>type</c> and <c>data</c> must be there; <c>time</c> (when it happened: seconds since 1970, or ISO 8601 with an
/// offset), <c>id</c> and <c>metadata</c> may be. Data and metadata are any JSON and are stored as the very bytes in the line.
/// Bytes that are no JSON on one line travel as <c>dataBase64</c> and <c>metadataBase64</c> instead.
/// </remarks>
internal static class EventLine
{
    private static readonly JsonDocumentOptions Reading = new() { AllowDuplicateProperties = false, MaxDepth = MaxDepth + 1 };
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = MaxDepth + 1 };

    // A line is one object around data and metadata: one level more than they may have.
    private const int MaxDepth = 64;

    /// <summary>Reads a line.</summary>
    /// <param name="utf8">The line without its end.</param>
    /// <param name="idUnlessGiven">The event's id when the line has none.</param>
    /// <exception cref="FormatException">The line is no event; the message says why.</exception>
    public static EventData Parse(ReadOnlyMemory<byte> utf8, Guid idUnlessGiven)
    {
        if (utf8.IsEmpty)
        {
            throw new FormatException("the line is empty");
        }

        try
        {
            using var line = JsonDocument.Parse(utf8, Reading);
            return Read(line.RootElement, idUnlessGiven);
        }
        catch (JsonException notJson)
        {
            throw new FormatException($"not JSON: {WithoutPlace(notJson.Message)}", notJson);
        }
    }

    /// <summary>Writes an event so that <see cref="Parse"/> makes the same of it, without line end.</summary>
    public static void Write(RecordedEvent e, IBufferWriter<byte> output)
    {
        using var json = new Utf8JsonWriter(output, Writing);
        json.WriteStartObject();
        json.WriteString("stream", e.Stream);
        json.WriteString("type", e.Type);
        if (e.Occurred is { } occurred)
        {
            WriteTime(json, occurred);
        }

        json.WriteString("id", e.Id);
        WriteBytes(json, "data", "dataBase64", e.Data.Span);
        if (!e.Metadata.IsEmpty)
        {
            WriteBytes(json, "metadata", "metadataBase64", e.Metadata.Span);
        }

        json.WriteEndObject();
    }

    private static EventData Read(JsonElement line, Guid id)
    {
        if (line.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException($"a line is one JSON object, not {Named(line)}");
        }

        string? stream = null, type = null;
        byte[]? data = null, metadata = null;
        DateTimeOffset? occurred = null;
        foreach (var property in line.EnumerateObject())
        {
            var value = property.Value;
            switch (property.Name)
            {
                case "stream": stream = Text(property); break;
                case "type": type = Text(property); break;
                case "time": occurred = Time(value); break;
                case "id": id = Guid.TryParseExact(Text(property), "D", out var given) ? given : throw new FormatException($"'id' is no UUID: {value}"); break;
                case "data": Set(ref data, "data", RawBytes(value)); break;
                case "dataBase64": Set(ref data, "data", Base64(property)); break;
                case "metadata": Set(ref metadata, "metadata", RawBytes(value)); break;
                case "metadataBase64": Set(ref metadata, "metadata", Base64(property)); break;
                default: throw new FormatException($"'{property.Name}' is not known; an event has stream, type, time, data, metadata and id");
            }
        }

        return new EventData(stream ?? throw Missing("stream"), type ?? throw Missing("type"), data ?? throw Missing("data"))
        {
            Id = id, Occurred = occurred, Metadata = metadata ?? [],
        };
    }

    private static FormatException Missing(string property) => new($"'{property}' is missing");

    private static string Text(JsonProperty property)
    {
        if (property.Value.ValueKind != JsonValueKind.String)
        {
            throw new FormatException($"'{property.Name}' is a string, not {Named(property.Value)}");
        }

        try
        {
            return property.Value.GetString()!;
        }
        catch (InvalidOperationException loneSurrogate)
        {
            throw new FormatException($"'{property.Name}' is not well-formed Unicode", loneSurrogate);
        }
    }

    private static void Set(ref byte[]? field, string name, byte[] value) =>
        field = field is null ? value : throw new FormatException($"'{name}' is given twice");

    private static byte[] RawBytes(JsonElement value) => JsonMarshal.GetRawUtf8Value(value).ToArray();

    private static byte[] Base64(JsonProperty property) =>
        property.Value.ValueKind == JsonValueKind.String && property.Value.TryGetBytesFromBase64(out var bytes)
            ? bytes
            : throw new FormatException($"'{property.Name}' is no Base64 string");

    private static DateTimeOffset Time(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Number when value.TryGetDecimal(out var seconds):
                try
                {
                    var ticks = checked((long)(seconds * TimeSpan.TicksPerSecond));
                    return DateTimeOffset.UnixEpoch.AddTicks(ticks);
                }
                catch (Exception beyond) when (beyond is OverflowException or ArgumentOutOfRangeException)
                {
                    throw new FormatException($"'time' lies outside the years 1 to 9999: {value}", beyond);
                }

            case JsonValueKind.String when HasOffset(value.GetString()!) && value.TryGetDateTimeOffset(out var time):
                return time.ToUniversalTime();
            default:
                throw new FormatException($"'time' is seconds since 1970 or ISO 8601 with an offset, not {value.GetRawText()}");
        }
    }

    private static bool HasOffset(string time) => time.EndsWith('Z') || (time.Length > 6 && time[^6] is '+' or '-' && time[^3] == ':');

    private static void WriteTime(Utf8JsonWriter json, DateTimeOffset occurred)
    {
        if (occurred.UtcTicks % TimeSpan.TicksPerSecond == 0)
        {
            json.WriteNumber("time", occurred.ToUnixTimeSeconds());
        }
        else
        {
            json.WriteString("time", occurred.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
        }
    }

    private static void WriteBytes(Utf8JsonWriter json, string name, string nameOfBase64, ReadOnlySpan<byte> bytes)
    {
        if (IsJsonAsOnALine(bytes))
        {
            json.WritePropertyName(name);
            json.WriteRawValue(bytes, skipInputValidation: true);
        }
        else
        {
            json.WriteBase64String(nameOfBase64, bytes);
        }
    }

    /// <summary>True for exactly one JSON value that begins and ends with these bytes and has no line end in it: it comes back unchanged.</summary>
    private static bool IsJsonAsOnALine(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty || bytes.IndexOfAny((byte)'\n', (byte)'\r') >= 0 || bytes[0] is (byte)' ' or (byte)'\t' || bytes[^1] is (byte)' ' or (byte)'\t')
        {
            return false;
        }

        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = MaxDepth, AllowMultipleValues = false });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName)
                {
                    // Fails on bytes that are no UTF-8, which reading alone lets pass.
                    _ = reader.GetString();
                }
            }

            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private static string Named(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        _ => value.GetRawText(),
    };

    /// <summary>The reader counts lines and bytes from zero, within this one line; the caller knows the line's number in the file.</summary>
    private static string WithoutPlace(string message)
    {
        var place = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (place < 0 ? message : message[..place]).TrimEnd('.');
    }
}
