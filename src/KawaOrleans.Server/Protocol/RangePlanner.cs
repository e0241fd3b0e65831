namespace KawaOrleans.Server.Protocol;

/// <summary>Splits a range of positions by segment.</summary>
internal static class RangePlanner
{
    /// <summary>The committed end for this query when the chain alone tells it: no segment is open, or the query ends before the
    /// open one. Otherwise null: its replicas know.</summary>
    public static long? KnownCommitted(Chain chain, RangeQuery query) => chain.WriteSegment switch
    {
        null => ChainRules.End(chain),
        { Base: var start } when query.To <= start => start,
        _ => null,
    };

    /// <summary>The slices of the query below the committed end.</summary>
    /// <exception cref="RequestRefusedException">A negative or reversed range.</exception>
    public static RangePlan Plan(Chain chain, long committed, RangeQuery query)
    {
        if (WhyNot(query) is { } reason)
        {
            throw new RequestRefusedException(reason);
        }

        // What sealed segments hold is committed, whatever the caller has heard of the open one.
        var known = chain.WriteSegment is { } open ? Math.Max(committed, open.Base) : ChainRules.End(chain)!.Value;
        var to = Math.Min(query.To, known);
        var start = chain.Segments.Count == 0 ? 0 : chain.Segments[0].Base;
        var from = Math.Min(Math.Max(query.From, start), to);
        var slices = new List<RangeSlice>();
        foreach (var segment in chain.Segments)
        {
            var first = Math.Max(from, segment.Base);
            var end = Math.Min(to, segment.End ?? long.MaxValue);
            if (first < end)
            {
                slices.Add(new RangeSlice(segment.Id, segment.Ensemble.Select(node => node.Name).ToArray(), first, end));
            }
        }

        return new RangePlan { LogId = chain.LogId, ChainVersion = chain.Version, From = from, To = to, Slices = slices };
    }

    private static string? WhyNot(RangeQuery query)
    {
        if (query.From < 0 || query.To < 0)
        {
            return $"Positions begin at 0; [{query.From}, {query.To}) begins or ends before.";
        }

        if (query.To < query.From)
        {
            return $"A range ends where it begins or behind that; [{query.From}, {query.To}) does not.";
        }

        return query.Limit < 0 ? $"A limit is 0 or more events; {query.Limit} is not." : null;
    }
}
