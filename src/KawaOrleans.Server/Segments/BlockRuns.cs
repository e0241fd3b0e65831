namespace KawaOrleans.Server.Segments;

/// <summary>The lines of ordered calls that one opening of a segment knows: of each it takes only the next call of the newest run. Memory only,
/// and bounded: a sender whose line is not known any more begins a new run, and repeats are caught by event ids.</summary>
internal sealed class BlockRuns(int capacity = 10_000)
{
    private Dictionary<Guid, (long Run, long Sequence)> _current = [];
    private Dictionary<Guid, (long Run, long Sequence)> _before = [];

    /// <summary>True for a call without order, the first of a line's new run, or the next of its newest; that call is then taken.</summary>
    public bool Take(BlockOrder? order)
    {
        if (order is null)
        {
            return true;
        }

        var isKnown = _current.TryGetValue(order.Line, out var next) || _before.TryGetValue(order.Line, out next);
        var isNew = !isKnown || order.Run > next.Run;
        if (isNew ? order.Sequence != 0 : (order.Run, order.Sequence) != next)
        {
            return false;
        }

        if (_current.Count >= capacity / 2 && !_current.ContainsKey(order.Line))
        {
            // Whatever was not used since the last change of generation is forgotten.
            (_before, _current) = (_current, []);
        }

        _current[order.Line] = (order.Run, order.Sequence + 1);
        return true;
    }
}
