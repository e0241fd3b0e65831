using System.Buffers.Text;
using System.Text;

namespace KawaOrleans.Server.Queries;

/// <summary><c>count</c>: how many events.</summary>
internal sealed class CountAggregation : IEventAggregation
{
    public string Name => "count";

    public EventFold Begin(string? argument, AggregationValues values)
    {
        Arguments.None(Name, argument);
        return (in EventFrame _) => values["total"u8]++;
    }
}

/// <summary><c>bytes</c>: how many bytes they take on disk.</summary>
internal sealed class BytesAggregation : IEventAggregation
{
    public string Name => "bytes";

    public EventFold Begin(string? argument, AggregationValues values)
    {
        Arguments.None(Name, argument);
        return (in EventFrame e) => values["total"u8] += e.StoredBytes;
    }
}

/// <summary><c>by-type</c>: how many events of each type.</summary>
internal sealed class ByTypeAggregation : IEventAggregation
{
    public string Name => "by-type";

    public EventFold Begin(string? argument, AggregationValues values)
    {
        Arguments.None(Name, argument);
        return (in EventFrame e) => values[e.TypeUtf8]++;
    }
}

/// <summary><c>by-stream-prefix</c>: how many events of the streams whose names agree up to the first separator; a name without
/// one is its own prefix.</summary>
internal sealed class ByStreamPrefixAggregation : IEventAggregation
{
    public string Name => "by-stream-prefix";

    public EventFold Begin(string? argument, AggregationValues values)
    {
        var text = argument ?? "-";
        if (!Rune.TryGetRuneAt(text.Length == 0 ? "\0" : text, 0, out var rune) || rune.Value == 0 || rune.Utf16SequenceLength != text.Length)
        {
            throw new RequestRefusedException($"Aggregation '{Name}' takes the one character that ends the prefix, '-' unless given; '{text}' is not one character.");
        }

        var separator = Encoding.UTF8.GetBytes(text);
        return (in EventFrame e) =>
        {
            var stream = e.StreamUtf8;
            var end = stream.IndexOf(separator);
            values[end < 0 ? stream : stream[..end]]++;
        };
    }
}

/// <summary><c>by-hour</c>: how many events in each hour (UTC, as <c>2031-12-24T18</c>), by either of their two times. Events
/// without an occurred time are counted under <c>none</c>.</summary>
internal sealed class ByHourAggregation : IEventAggregation
{
    public string Name => "by-hour";

    public EventFold Begin(string? argument, AggregationValues values) => argument switch
    {
        null or "recorded" => (in EventFrame e) => Add(values, e.RecordedTicks),
        "occurred" => (in EventFrame e) => Add(values, e.OccurredTicks),
        _ => throw new RequestRefusedException($"Aggregation '{Name}' takes 'recorded' (unless given) or 'occurred', not '{argument}'."),
    };

    private static void Add(AggregationValues values, long? ticks)
    {
        if (ticks is not { } known || known < 0 || known > DateTime.MaxValue.Ticks)
        {
            values["none"u8]++;
            return;
        }

        Span<byte> key = stackalloc byte[32];
        Utf8Formatter.TryFormat(new DateTime(known, DateTimeKind.Utc), key, out _, 'O');
        values[key[..13]]++;
    }
}

internal static class Arguments
{
    public static void None(string aggregation, string? argument)
    {
        if (argument is not null)
        {
            throw new RequestRefusedException($"Aggregation '{aggregation}' takes no argument; '{argument}' was given.");
        }
    }
}
