using System.Buffers.Binary;
using KawaOrleans.Format;

namespace KawaOrleans.Cluster.Tests.Client;

/// <summary>One segment's frames, stamped as a writer stamps them, so that what arrives verifies.</summary>
internal sealed class FakeReplica(Guid id, long epoch, long basePosition, int capacity)
{
    private readonly SegmentIdentity _identity = new(id, 0, epoch);
    private readonly List<(FrameRun Run, byte[] Bytes)> _frames = [];
    private long _offset = 4096;

    public Guid Id => id;

    public long Base => basePosition;

    public long End => basePosition + _frames.Count;

    public IEnumerable<RecordedEvent> Events => Block(_frames).ToList();

    public bool HasRoomFor(EventBatch batch) => _frames.Count + batch.Count <= capacity || _frames.Count == 0;

    public Appended Append(EventBatch batch)
    {
        var first = End;
        for (var rest = batch.Bytes; !rest.IsEmpty;)
        {
            var padded = FrameLayout.Padded(BinaryPrimitives.ReadInt32LittleEndian(rest.Span[FrameLayout.Length..]));
            var frame = rest[..padded].ToArray();
            var hash = BinaryPrimitives.ReadUInt64LittleEndian(frame.AsSpan(FrameLayout.EncodedHash));
            BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(FrameLayout.GroupDistance), 0);
            BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(FrameLayout.RelativePosition), (uint)_frames.Count);
            BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(FrameLayout.Revision), -1);
            BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(FrameLayout.Checksum), Checksum.At(_identity.ChecksumKey, _offset, frame, hash));
            _frames.Add((new FrameRun(_offset, padded), frame));
            _offset += padded;
            rest = rest[padded..];
        }

        return new Appended(first, batch.Count, DateTimeOffset.UnixEpoch);
    }

    public void Damage(long position) => _frames[(int)(position - basePosition)].Bytes[^1] ^= 1;

    public ReadResult Read(ReadRequest request, bool isSealed)
    {
        var to = Math.Min(request.To, End);
        var from = Math.Max(request.From, basePosition);

        // Three events an answer at most, so that a few events are many blocks.
        var taken = from < to ? _frames.Skip((int)(from - basePosition)).Take((int)Math.Min(to - from, Math.Min(request.MaxEvents, 3))).ToList() : [];
        var next = request.From + taken.Count;
        return new ReadResult { Events = Block(taken), Next = next, Committed = End, AtEndOfSegment = isSealed && next >= End };
    }

    private FrameBlock Block(List<(FrameRun Run, byte[] Bytes)> frames) => new()
    {
        SegmentId = id,
        Generation = 0,
        Epoch = epoch,
        BasePosition = basePosition,
        Runs = [.. frames.Select(static frame => frame.Run)],
        Bytes = new Block(frames.SelectMany(static frame => frame.Bytes).ToArray()),
    };
}
