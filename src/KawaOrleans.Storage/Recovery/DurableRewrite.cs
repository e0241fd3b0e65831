using KawaOrleans.Format;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Recovery;

/// <summary>Puts on disk what recovery found, whatever the page cache held before. After a failed sync the cache may show bytes as
/// clean that the disk never took: only writing them again makes the next sync cover them.</summary>
internal static class DurableRewrite
{
    private const int StepBytes = 256 * 1024;
    private const int StateBytes = 4 * FileLayout.SectorBytes;

    /// <summary>Writes the state sectors and what no synced checkpoint covers again, zeroes W bytes behind the tail and syncs.</summary>
    /// <exception cref="SegmentPoisonedException">A write or sync failed.</exception>
    /// <exception cref="SegmentUnreadableException">A frame that was whole a moment ago is not any more.</exception>
    public static void Run(IVolumeFile file, SegmentHeader header, RecoveredTail found)
    {
        Poisoning(file, () =>
        {
            StateSectors(file);
            Frames(file, header.Identity.ChecksumKey, found.UncoveredFrom, found.Tail.Offset);
            Zero(file, found.Tail.Offset, Math.Min(found.Tail.Offset + FileLayout.MaxGroupBytes(header.FileBytes), header.FileBytes));
            file.Sync();
        });
    }

    /// <summary>For a file found sealed whose footer was not begun: that the sealing was synced is not known.</summary>
    /// <exception cref="SegmentPoisonedException">A write or sync failed.</exception>
    public static void StatesOnly(IVolumeFile file) => Poisoning(file, () =>
    {
        StateSectors(file);
        file.Sync();
    });

    /// <summary>Writes all frames again, for a file whose groups were not synced one after another: there a checkpoint does not say that what lies before
    /// it is on the disk. The caller syncs before it relies on them.</summary>
    /// <exception cref="SegmentPoisonedException">A write failed.</exception>
    /// <exception cref="SegmentUnreadableException">A frame that was whole is not any more.</exception>
    public static void AllFrames(IVolumeFile file, SegmentHeader header, long tail) =>
        Poisoning(file, () => Frames(file, header.Identity.ChecksumKey, FileLayout.FirstFrame, tail));

    /// <summary>Writes the four sectors of the header page again as they are; the caller syncs before it relies on one.</summary>
    private static void StateSectors(IVolumeFile file)
    {
        var sectors = new byte[StateBytes];
        var read = file.Read(FileLayout.Header, sectors);
        file.Write(FileLayout.Header, sectors.AsSpan(0, read));
    }

    private static void Poisoning(IVolumeFile file, Action write)
    {
        try
        {
            write();
        }
        catch (IOException e) when (e is not StorageException)
        {
            throw new SegmentPoisonedException(file.Path, e);
        }
    }

    private static void Frames(IVolumeFile file, uint key, long from, long to)
    {
        // Each is verified again: a page read before may have left the cache since, and the disk may hold another.
        var reader = new FrameReader(file, key, to);
        var step = new byte[(int)Math.Min(StepBytes, to - from)];
        var stepStart = from;
        var filled = 0;
        for (var offset = from; offset < to;)
        {
            if (reader.TryRead(offset, out var frame) != FrameStatus.Whole)
            {
                throw new SegmentUnreadableException(file.Path, new IOException($"the frame at offset {offset} read well once and then not"));
            }

            if (filled + frame.Bytes.Length > step.Length)
            {
                file.Write(stepStart, step.AsSpan(0, filled));
                file.Drain(stepStart, filled);
                (stepStart, filled) = (offset, 0);
                step = frame.Bytes.Length > step.Length ? new byte[frame.Bytes.Length] : step;
            }

            frame.Bytes.CopyTo(step.AsSpan(filled));
            filled += frame.Bytes.Length;
            offset = frame.End;
        }

        file.Write(stepStart, step.AsSpan(0, filled));
    }

    private static void Zero(IVolumeFile file, long from, long to)
    {
        var zeroes = new byte[(int)Math.Min(StepBytes, to - from)];
        for (var offset = from; offset < to; offset += StepBytes)
        {
            file.Write(offset, zeroes.AsSpan(0, (int)Math.Min(zeroes.Length, to - offset)));
        }
    }
}
