namespace KawaOrleans.Storage.Streams;

/// <summary>The events of a stretch of a segment gathered by stream: the streams that have some, in the order of their ordinals, and where
/// the events of each lie.</summary>
/// <param name="ordinals">The streams.</param>
/// <param name="ends">Where each one's positions end.</param>
/// <param name="positions">The relative positions of all.</param>
internal readonly ref struct StreamGroups(ReadOnlySpan<int> ordinals, ReadOnlySpan<int> ends, ReadOnlySpan<uint> positions)
{
    private readonly ReadOnlySpan<int> _ordinals = ordinals;
    private readonly ReadOnlySpan<int> _ends = ends;
    private readonly ReadOnlySpan<uint> _positions = positions;

    public int Count => _ordinals.Length;

    public int Ordinal(int index) => _ordinals[index];

    /// <summary>The relative positions of a stream's events, ascending, at least one.</summary>
    public ReadOnlySpan<uint> Positions(int index) => _positions[(index == 0 ? 0 : _ends[index - 1]).._ends[index]];
}
