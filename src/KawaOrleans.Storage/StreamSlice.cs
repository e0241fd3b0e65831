using KawaOrleans.Format;

namespace KawaOrleans.Storage;

/// <summary>What a segment holds of a stream, and some of its events there.</summary>
/// <param name="Count">How many events of the stream the segment holds.</param>
/// <param name="First">The revision of the first of them; 0 when there are none.</param>
/// <param name="Before">The position of the stream's last event before the segment; −1: it has none; −2: not known here.</param>
/// <param name="Runs">Where the frames in <paramref name="Bytes"/> lie in the file, in order.</param>
/// <param name="Bytes">The frames of the events asked for, the older first, copied. Not verified: the reader does that.</param>
public sealed record StreamSlice(int Count, long First, long Before, IReadOnlyList<FrameRun> Runs, ReadOnlyMemory<byte> Bytes);
