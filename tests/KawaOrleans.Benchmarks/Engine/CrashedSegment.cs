using System.Buffers.Binary;
using System.Diagnostics;
using KawaOrleans.Format;
using KawaOrleans.Storage;

namespace KawaOrleans.Benchmarks.Engine;

/// <summary>A segment file as a process leaves it that dies between two appends, again and again.</summary>
/// <remarks>
/// A writer that closes in peace leaves a checkpoint and the hint to it; taking both away again is what a death would have left.
/// Offsets are those of docs/FORMAT.md.
/// </remarks>
internal sealed class CrashedSegment
{
    private const int HintPage = 4096;
    private const int HintPageBytes = 4096;
    private const int SecondSlot = 2048;
    private const int SlotBytes = 512;
    private const int HintSequence = 16;
    private const int FirstFrame = 8192;
    private const int ReadBytes = 1 << 20;
    private const int BehindTailBytes = 1 << 20;

    private readonly string _path;
    private readonly SegmentIdentity _identity;
    private readonly long _tail;
    private readonly byte[] _hints;

    private CrashedSegment(string path, SegmentIdentity identity, long tail, byte[] hints)
    {
        _path = path;
        _identity = identity;
        _tail = tail;
        _hints = hints;
    }

    /// <summary>What recovery has to read frame by frame.</summary>
    public long UncoveredBytes { get; private set; }

    /// <summary>Ends the segment's use and makes its file look as if its process had died instead.</summary>
    public static CrashedSegment Leave(Segment segment)
    {
        var tail = segment.Tail.Offset;
        segment.Dispose();
        var hints = new byte[HintPageBytes];
        using (var file = File.OpenHandle(segment.Path))
        {
            RandomAccess.Read(file, hints, HintPage);
        }

        var newest = SequenceAt(hints, 0) > SequenceAt(hints, SecondSlot) ? 0 : SecondSlot;
        hints.AsSpan(newest, SlotBytes).Clear();
        var crashed = new CrashedSegment(segment.Path, segment.Header.Identity, tail, hints);
        crashed.Restore();
        _ = crashed.Verify();
        return crashed;
    }

    /// <summary>Opens it and does something; answers the seconds both took together. Restoring the file is not timed.</summary>
    public double Timed(Func<string, Segment> open, Action<Segment> act)
    {
        var started = Stopwatch.GetTimestamp();
        double taken;
        using (var segment = open(_path))
        {
            act(segment);
            taken = Stopwatch.GetElapsedTime(started).TotalSeconds;
        }

        Restore();
        return taken;
    }

    /// <summary>Reads the whole file by positional reads and checks every frame; answers how many events there were.</summary>
    public int Verify()
    {
        using var file = File.OpenHandle(_path);
        var buffer = new byte[ReadBytes];
        var events = 0;
        var checkpoint = (long)FirstFrame;
        for (var offset = (long)FirstFrame; offset < _tail;)
        {
            var bytes = buffer.AsSpan(0, RandomAccess.Read(file, buffer, offset));
            var begin = offset;
            while (Frame.TryRead(bytes, offset, _identity, out var frame) == FrameStatus.Whole)
            {
                events += frame.Kind == FrameKind.Event ? 1 : 0;
                checkpoint = frame.Kind == FrameKind.Checkpoint ? frame.End : checkpoint;
                offset = frame.End;
                bytes = bytes[frame.Bytes.Length..];
            }

            if (offset == begin)
            {
                throw new InvalidOperationException($"The frame at offset {offset} does not verify.");
            }
        }

        UncoveredBytes = _tail - checkpoint;
        return events;
    }

    private void Restore()
    {
        using var file = File.OpenHandle(_path, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.Write(file, _hints, HintPage);
        RandomAccess.Write(file, new byte[BehindTailBytes], _tail);
        SyncProbe.DataSync(file);
    }

    private static long SequenceAt(byte[] hints, int slot) => BinaryPrimitives.ReadInt64LittleEndian(hints.AsSpan(slot + HintSequence));
}
