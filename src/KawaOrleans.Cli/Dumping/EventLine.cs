using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace KawaOrleans.Cli.Dumping;

/// <summary>One event as one line of JSON. Where an export of the sample has the same thing, it has the same name here.</summary>
internal static class EventLine
{
    private const int MaxDepth = 64;

    private static readonly byte[] MetadataType = Encoding.UTF8.GetBytes(StreamChange.MetadataType);

    // A line is one object around data and metadata: one level more than they may have.
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = MaxDepth + 1 };

    public static void Write(EventFrame e, IBufferWriter<byte> output)
    {
        using (var json = new Utf8JsonWriter(output, Writing))
        {
            json.WriteStartObject();
            json.WriteNumber("position", e.Position);
            json.WriteNumber("revision", e.Revision);
            json.WriteString("stream", e.StreamUtf8);
            json.WriteString("type", e.TypeUtf8);
            json.WriteString("id", e.Id);
            WriteTime(json, "recorded", e.RecordedTicks);
            if (e.OccurredTicks is { } occurred)
            {
                WriteTime(json, "time", occurred);
            }

            if (e.TypeUtf8.SequenceEqual(MetadataType) && StreamMetadata.Decode(e.Data, default) is { } metadata)
            {
                Write(json, metadata);
            }
            else
            {
                WriteBytes(json, "data", "dataBase64", e.Data);
            }

            if (!e.Metadata.IsEmpty)
            {
                WriteBytes(json, "metadata", "metadataBase64", e.Metadata);
            }

            json.WriteEndObject();
        }

        output.Write("\n"u8);
    }

    /// <summary>What an event says of another stream's events, in words instead of bytes.</summary>
    private static void Write(Utf8JsonWriter json, StreamMetadata metadata)
    {
        json.WriteStartObject("streamMetadata");
        json.WriteNumber("truncateBefore", metadata.TruncateBefore);
        if (metadata.MaxCount is { } count)
        {
            json.WriteNumber("maxCount", count);
        }

        if (metadata.MaxAge is { } age)
        {
            json.WriteString("maxAge", age.ToString("c", CultureInfo.InvariantCulture));
        }

        json.WriteEndObject();
    }

    private static void WriteTime(Utf8JsonWriter json, string name, long ticks)
    {
        if (ticks < 0 || ticks > DateTime.MaxValue.Ticks)
        {
            json.WriteNumber(name + "Ticks", ticks);
        }
        else
        {
            json.WriteString(name, new DateTime(ticks, DateTimeKind.Utc).ToString("O", CultureInfo.InvariantCulture));
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

    /// <summary>True for exactly one JSON value that begins and ends with these bytes and has no line end in it.</summary>
    private static bool IsJsonAsOnALine(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty || bytes.IndexOfAny((byte)'\n', (byte)'\r') >= 0 || bytes[0] is (byte)' ' or (byte)'\t' || bytes[^1] is (byte)' ' or (byte)'\t')
        {
            return false;
        }

        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = MaxDepth });
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
}
