using System.Buffers.Binary;
using KawaOrleans.Format;
using KawaOrleans.Server.Segments;
using KawaOrleans.Storage;

namespace KawaOrleans.Client.Tests;

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

    /// <summary>What the writer knows of its senders' order; lost when it starts anew.</summary>
    public BlockRuns Runs { get; set; } = new();

    /// <summary>False: it has all of an ended segment and was not told that it ended.</summary>
    public bool KnowsItsEnd { get; set; } = true;

    public bool HasRoomFor(EventBlock block) => _frames.Count + block.EventCount <= capacity || _frames.Count == 0;

    public void Append(ReadOnlySpan<byte> batch)
    {
        while (!batch.IsEmpty)
        {
            var padded = FrameLayout.Padded(BinaryPrimitives.ReadInt32LittleEndian(batch[FrameLayout.Length..]));
            var frame = batch[..padded].ToArray();
            var hash = BinaryPrimitives.ReadUInt64LittleEndian(frame.AsSpan(FrameLayout.EncodedHash));
            BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(FrameLayout.GroupDistance), 0);
            BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(FrameLayout.RelativePosition), (uint)_frames.Count);
            BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(FrameLayout.Revision), -1);
            BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(FrameLayout.Timestamp), DateTimeOffset.UnixEpoch.UtcTicks);
            BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(FrameLayout.Checksum), Checksum.At(_identity.ChecksumKey, _offset, frame, hash));
            _frames.Add((new FrameRun(_offset, padded), frame));
            _offset += padded;
            batch = batch[padded..];
        }
    }

    /// <summary>What a writer remembers of the events from a position on.</summary>
    public byte[] Remember(long from)
    {
        var known = new byte[Math.Max(0, End - from) * WriterMemory.EventBytes];
        for (var position = Math.Max(from, basePosition); position < End; position++)
        {
            var (run, bytes) = _frames[(int)(position - basePosition)];
            Frame.TryRead(bytes, run.Offset, _identity, out var frame);
            WriterMemory.Write(frame, known.AsSpan((int)(position - from) * WriterMemory.EventBytes));
        }

        return known;
    }

    public void Damage(long position) => _frames[(int)(position - basePosition)].Bytes[^1] ^= 1;

    public ReadResult Read(ReadRequest request, bool isSealed)
    {
        var to = Math.Min(request.To, End);
        var from = Math.Max(request.From, basePosition);

        // Three events an answer at most, so that a few events are many blocks.
        var taken = from < to ? _frames.Skip((int)(from - basePosition)).Take((int)Math.Min(to - from, Math.Min(request.MaxEvents, 3))).ToList() : [];
        var next = request.From + taken.Count;
        return new ReadResult { Events = Block(taken), Next = next, Committed = End, AtEndOfSegment = isSealed && KnowsItsEnd && next >= End };
    }

    public ReadResult ReadEach(long[] positions)
    {
        // Five events an answer at most, as if they were large.
        var looked = positions.Take(5).ToList();
        var found = looked.ConvertAll(position => position < End ? _frames[(int)(position - basePosition)] : (default, []));
        return new ReadResult { Events = Block(found), Next = looked[^1] + 1, Committed = End, AtEndOfSegment = false };
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
