using KawaOrleans.Format;
using KawaOrleans.Storage.Recovery;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Segments;

/// <summary>Makes a <see cref="Segment"/> of a file: what it says of itself first, then, unless it is sealed, what is certainly on
/// disk. The rest of its recovery is <see cref="Segment.Recover"/>.</summary>
internal static class SegmentLoader
{
    /// <summary>Makes the file and its segment. Nothing under that name may exist.</summary>
    public static Segment Create(SegmentHost host, string path, SegmentHeader header, Durability durability = Durability.Durable)
    {
        if (SegmentHeaderCodec.WhyNot(header) is { } reason)
        {
            throw new ArgumentException(reason, nameof(header));
        }

        host.Volume.Create(path, header.FileBytes, PreparationFor(durability)).Dispose();
        host.Volume.SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        return Claim(host, path, header);
    }

    /// <summary>How a file is made ready for this tail. A durable one syncs often, and a write into an unwritten extent makes each of
    /// those syncs commit the journal; a mapped one syncs once, and zeroes written ahead only double its bytes.</summary>
    public static Preparation PreparationFor(Durability durability) =>
        durability == Durability.Mapped ? Preparation.Allocated : Preparation.WrittenThrough;

    /// <summary>Writes the header into a blank file under its final name, synced. Nothing is recovered: this process made the file.</summary>
    public static Segment Claim(SegmentHost host, string path, SegmentHeader header)
    {
        header = header with { CreatedTicks = host.Time.GetUtcNow().UtcTicks };
        var file = host.Volume.Open(path, writable: true);
        try
        {
            file.Write(FileLayout.Header, SegmentHeaderCodec.Encode(header));
            file.Sync();
            return new Segment(new SegmentFile(host, path, header, file), RecoveredTail.Blank(path, header));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Opens a file and finishes its recovery.</summary>
    /// <inheritdoc cref="LoadUnrecovered"/>
    public static Segment Load(SegmentHost host, string path, bool writable, Func<SegmentHeader, string?>? whyNot = null)
    {
        var segment = LoadUnrecovered(host, path, writable, whyNot);
        try
        {
            segment.Recover();
            return segment;
        }
        catch
        {
            segment.Dispose();
            throw;
        }
    }

    /// <summary>Opens a file; if it is writable and not sealed, its recovery is left to be finished.</summary>
    /// <param name="host">What it shares with other segments.</param>
    /// <param name="path">The file.</param>
    /// <param name="writable">False to change nothing in it.</param>
    /// <param name="whyNot">Why a file with this header does not belong there, or null. Asked before recovery, which would take the
    /// frames of the segment that the header has displaced for garbage behind the tail.</param>
    /// <exception cref="NotASegmentException">Not ours, or newer than this program.</exception>
    /// <exception cref="SegmentDamagedException">It cannot be trusted; nothing was changed.</exception>
    /// <exception cref="SegmentUnreadableException">The medium failed.</exception>
    /// <exception cref="StorageException">It does not belong there; nothing was changed.</exception>
    public static Segment LoadUnrecovered(SegmentHost host, string path, bool writable, Func<SegmentHeader, string?>? whyNot = null)
    {
        IVolumeFile? file = null;
        try
        {
            file = host.Volume.Open(path, writable: false);
            var page = new byte[FileLayout.HeaderPageBytes];
            var read = file.Read(0, page);
            var header = SegmentHeaderCodec.Decode(path, page.AsSpan(0, read));
            if (whyNot?.Invoke(header) is { } reason)
            {
                throw new StorageException(reason);
            }

            var states = States.Decode(path, page, header.Identity.ChecksumKey);
            CheckLength(path, file.Length, header, states);
            if (states.End is { } end)
            {
                if (writable && !Footer.BeginsAt(file, end.End.Offset))
                {
                    file.Dispose();
                    file = host.Volume.Open(path, writable: true);
                    DurableRewrite.StatesOnly(file);
                }

                return new Segment(new SegmentFile(host, path, header, writable: null), states.Opened, end);
            }

            if (writable)
            {
                file.Dispose();
                file = host.Volume.Open(path, writable: true);
            }

            var recovery = UnfinishedRecovery.Begin(file, header, states, writable);
            var segment = new Segment(new SegmentFile(host, path, header, writable ? file : null), states.State, states.Opened, recovery);
            if (writable)
            {
                file = null;
            }
            else
            {
                segment.Recover();
            }

            return segment;
        }
        catch (Exception e) when (e is IOException and not StorageException or UnauthorizedAccessException)
        {
            throw new SegmentUnreadableException(path, e);
        }
        finally
        {
            file?.Dispose();
        }
    }

    internal static void CheckLength(string path, long length, SegmentHeader header, States states)
    {
        var footer = states.End is { } end ? Footer.MostBytes(end.End.Position - header.BasePosition) + FileLayout.PageBytes : 0;
        if (length < header.FileBytes || length > header.FileBytes + footer)
        {
            throw new SegmentDamagedException(path, length, $"the file has {length} bytes, its header says {header.FileBytes}: it was {(length < header.FileBytes ? "truncated" : "lengthened")}");
        }

        if (states.End is { } sealedEnd && (sealedEnd.End.Offset < FileLayout.FirstFrame || sealedEnd.End.Offset > header.FileBytes || sealedEnd.End.Position < header.BasePosition))
        {
            throw new SegmentDamagedException(path, FileLayout.Sealed, "it says that it ends outside itself");
        }
    }

    /// <summary>The three state sectors. A bad one is unknown, never "not fenced".</summary>
    internal sealed record States(OpenedSector? Opened, FencedSector? Fenced, SealedSector? End)
    {
        public SegmentState State => End is not null ? SegmentState.Sealed
            : Fenced is not null ? SegmentState.Fenced
            : Opened is not null ? SegmentState.Open
            : SegmentState.Prepared;

        public static States Decode(string path, byte[] page, uint key)
        {
            var opened = OpenedSector.Decode(Part(FileLayout.Opened), key, out var o);
            var fenced = FencedSector.Decode(Part(FileLayout.Fenced), key, out var f);
            var end = SealedSector.Decode(Part(FileLayout.Sealed), key, out var s);
            Refuse(opened, FileLayout.Opened, "opened");
            Refuse(fenced, FileLayout.Fenced, "fenced");
            Refuse(end, FileLayout.Sealed, "sealed");
            return new States(
                opened == SectorStatus.Whole ? o : null, fenced == SectorStatus.Whole ? f : null, end == SectorStatus.Whole ? s : null);

            ReadOnlySpan<byte> Part(long offset) => page.AsSpan((int)offset, FileLayout.SectorBytes);

            void Refuse(SectorStatus status, long offset, string name)
            {
                if (status == SectorStatus.Bad)
                {
                    throw new SegmentDamagedException(path, offset, $"its '{name}' sector does not verify, so whether it is {name} is unknown");
                }
            }
        }
    }
}
