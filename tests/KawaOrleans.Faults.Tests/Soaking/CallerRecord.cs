namespace KawaOrleans.Faults.Tests.Soaking;

/// <summary>What one caller was told of each of its batches.</summary>
/// <param name="name">The caller.</param>
/// <param name="mayHaveMore">True for a caller whose process was killed: it may have sent batches that it told nobody of.</param>
internal sealed class CallerRecord(string name, bool mayHaveMore)
{
    private readonly List<long?> _first = [];

    public string Name => name;

    public bool MayHaveMore => mayHaveMore;

    /// <summary>By the batch's number: the position acknowledged for its first event; null when the outcome is unknown.</summary>
    public IReadOnlyList<long?> First => _first;

    /// <summary>Notes the outcome of the next batch, or of one further on when those between have none.</summary>
    public void Add(int sequence, long? first)
    {
        while (_first.Count < sequence)
        {
            _first.Add(null);
        }

        _first.Add(first);
    }
}
