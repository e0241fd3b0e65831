namespace KawaOrleans.Server.Segments;

/// <summary>The runs of ordered calls that one opening of a segment knows: of each it takes only the next call. Memory only, and bounded: a
/// sender whose run is not known any more begins a new one, and repeats are caught by event ids.</summary>
internal sealed class BlockRuns(int capacity = 10_000)
{
    private Dictionary<Guid, long> _current = [];
    private Dictionary<Guid, long> _before = [];

    /// <summary>True for a call without order, the first of a run not known, or the next of a known one; that call is then taken.</summary>
    public bool Take(BlockOrder? order)
    {
        if (order is null)
        {
            return true;
        }

        var known = _current.TryGetValue(order.Run, out var next) || _before.TryGetValue(order.Run, out next);
        if (order.Sequence != (known ? next : 0))
        {
            return false;
        }

        if (_current.Count >= capacity / 2 && !_current.ContainsKey(order.Run))
        {
            // Whatever was not used since the last change of generation is forgotten.
            (_before, _current) = (_current, []);
        }

        _current[order.Run] = order.Sequence + 1;
        return true;
    }
}
