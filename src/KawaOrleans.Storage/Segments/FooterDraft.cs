using System.Buffers;
using System.Buffers.Binary;
using KawaOrleans.Format;
using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage.Segments;

/// <summary>A footer in the making: takes a segment's frames one after another.</summary>
/// <param name="before">The heads of streams before the segment, if they are at hand.</param>
/// <param name="events">How many there are at the most: it grows to that at once.</param>
internal sealed class FooterDraft(IStreamHeads? before, int events)
{
    private readonly ArrayBufferWriter<byte> _sparse = new();
    private readonly Chunked<uint> _offsets = new();
    private readonly Chunked<ulong> _fullHashes = new();
    private readonly OpenStreams _streams = new(path: "", events);
    private SegmentBounds _bounds = SegmentBounds.None;

    /// <summary>The relative position that comes next.</summary>
    public long Next { get; private set; }

    /// <summary>Takes a verified frame that lies at a position at or behind <see cref="Next"/>; answers why it cannot be, or null.</summary>
    public string? Take(in Frame frame)
    {
        if (frame.RelativePosition > _streams.Next)
        {
            _streams.AddGap(frame.RelativePosition - _streams.Next);
        }

        Next = frame.RelativePosition;
        for (var positions = frame.Positions; positions > 0; positions--, Next++)
        {
            if (Next % Footer.Interval == 0)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(_sparse.GetSpan(sizeof(uint)), (uint)(frame.Offset >> 3));
                _sparse.Advance(sizeof(uint));
            }
        }

        if (!EventFrame.TryOpen(frame, 0, out var e))
        {
            return frame.Kind == FrameKind.Event ? "its inner lengths or times make no sense" : null;
        }

        _bounds = _bounds.With(e);
        var ordinal = _streams.Find(frame.StreamHash, e.StreamUtf8);
        if (ordinal < 0)
        {
            var name = new StreamName(e.StreamUtf8);
            _offsets.Add((uint)(frame.Offset >> 3));
            _fullHashes.Add(name.FullHash);
            ordinal = _streams.Begin(frame.StreamHash, e.StreamUtf8, frame.Revision, before is null ? OpenStreams.NotKnown : before.Find(name)?.Position ?? -1);
        }

        return _streams.Add(ordinal) is var next && next != frame.Revision ? $"revision {frame.Revision} of a stream where {next} comes next" : null;
    }

    public Footer ToFooter() => new()
    {
        Bounds = _bounds,
        Sparse = _sparse.WrittenMemory,
        Streams = StreamSection.Encode(_streams, ordinal => _fullHashes[ordinal], ordinal => (long)_offsets[ordinal] << 3),
    };
}
