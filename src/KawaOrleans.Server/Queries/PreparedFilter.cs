using System.Text;

namespace KawaOrleans.Server.Queries;

/// <summary>An <see cref="EventFilter"/> made ready to look at frames in place, without allocating.</summary>
internal sealed class PreparedFilter
{
    /// <summary>The most types a filter may name.</summary>
    public const int MaxTypes = 1000;

    // So many names are compared sooner than one is hashed.
    private const int FewTypes = 8;

    private readonly byte[][]? _fewTypes;
    private readonly HashSet<byte[]>.AlternateLookup<ReadOnlySpan<byte>>? _manyTypes;
    private readonly byte[] _streamPrefix;
    private readonly EventTime _time;
    private readonly long _fromTicks;
    private readonly long _toTicks;
    private readonly bool _hasTime;

    private PreparedFilter(EventFilter filter)
    {
        if (filter.Types is { } types)
        {
            var names = new HashSet<byte[]>(types.Select(Encoding.UTF8.GetBytes), Utf8Comparer.Instance);
            _fewTypes = names.Count <= FewTypes ? [.. names] : null;
            _manyTypes = names.Count > FewTypes ? names.GetAlternateLookup<ReadOnlySpan<byte>>() : null;
        }

        _streamPrefix = Encoding.UTF8.GetBytes(filter.StreamPrefix ?? "");
        if (filter.Time is { } bounds)
        {
            _hasTime = true;
            _time = bounds.Time;
            _fromTicks = bounds.From?.UtcTicks ?? long.MinValue;
            _toTicks = bounds.To?.UtcTicks ?? long.MaxValue;
        }
    }

    /// <summary>Null for no filter: every event matches.</summary>
    /// <exception cref="RequestRefusedException">A condition that no event can be held against.</exception>
    public static PreparedFilter? For(EventFilter? filter)
    {
        if (filter is null or { Types: null, StreamPrefix: null or "", Time: null })
        {
            return null;
        }

        return WhyNot(filter) is { } reason ? throw new RequestRefusedException($"The filter cannot be used: {reason}.") : new PreparedFilter(filter);
    }

    public bool Matches(in EventFrame e)
    {
        if (_streamPrefix.Length > 0 && !e.StreamUtf8.StartsWith(_streamPrefix))
        {
            return false;
        }

        if (_fewTypes is { } few ? !IsAmong(few, e.TypeUtf8) : _manyTypes is { } many && !many.Contains(e.TypeUtf8))
        {
            return false;
        }

        return !_hasTime
            || ((_time == EventTime.Recorded ? e.RecordedTicks : e.OccurredTicks) is { } ticks && ticks >= _fromTicks && ticks < _toTicks);
    }

    private static bool IsAmong(byte[][] types, ReadOnlySpan<byte> type)
    {
        foreach (var wanted in types)
        {
            if (type.SequenceEqual(wanted))
            {
                return true;
            }
        }

        return false;
    }

    private static string? WhyNot(EventFilter filter)
    {
        if (filter.Types is { } types)
        {
            if (types.Count is 0 or > MaxTypes)
            {
                return $"{nameof(EventFilter.Types)} holds 1 to {MaxTypes} types, not {types.Count}; leave it unset for all types";
            }

            foreach (var type in types)
            {
                if (Names.WhyNotText(type) is { } badType)
                {
                    return $"type name '{type}': {badType}";
                }
            }
        }

        if (filter.StreamPrefix is { Length: > 0 } prefix && Names.WhyNotText(prefix) is { } badPrefix)
        {
            return $"{nameof(EventFilter.StreamPrefix)} '{prefix}': {badPrefix}";
        }

        return filter.Time switch
        {
            null => null,
            { Time: not (EventTime.Recorded or EventTime.Occurred) } => $"{nameof(EventTime)} {(int)filter.Time.Time} is not known",
            { From: { } from, To: { } to } when from > to => $"the time bounds are reversed: from {from:O} to {to:O}",
            _ => null,
        };
    }
}
