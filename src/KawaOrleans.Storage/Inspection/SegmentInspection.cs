using KawaOrleans.Format;
using KawaOrleans.Storage.Recovery;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Inspection;

/// <summary>Looks at a segment file, by positional reads alone, and changes nothing in it.</summary>
internal static class SegmentInspection
{
    /// <summary>What the file says of itself and what recovery would find; no frame that a checkpoint covers is read.</summary>
    /// <inheritdoc cref="Inspect" path="/exception"/>
    public static InspectedSegment Look(IVolume volume, string path) => Inspect(volume, path, everyFrame: false, headerIfLost: null, progress: null);

    /// <summary>The same, and every frame.</summary>
    /// <param name="volume">Where the file lies.</param>
    /// <param name="path">The file.</param>
    /// <param name="progress">Is told the offset that was reached.</param>
    /// <param name="headerIfLost">With which the frames are read when the file's own header does not verify.</param>
    /// <inheritdoc cref="Inspect" path="/exception"/>
    public static InspectedSegment Verify(IVolume volume, string path, IProgress<long>? progress = null, SegmentHeader? headerIfLost = null) =>
        Inspect(volume, path, everyFrame: true, headerIfLost, progress);

    /// <exception cref="NotASegmentException">Not ours, or newer than this program.</exception>
    /// <exception cref="SegmentUnreadableException">The medium failed.</exception>
    /// <exception cref="StorageException">A running process writes it.</exception>
    private static InspectedSegment Inspect(IVolume volume, string path, bool everyFrame, SegmentHeader? headerIfLost, IProgress<long>? progress)
    {
        try
        {
            using var file = volume.Open(path, writable: false);
            return Read(file, everyFrame, headerIfLost, progress);
        }
        catch (IOException e) when (e is not StorageException && IoErrors.IsInUse(e))
        {
            throw new StorageException($"{path}: a running silo writes it. Stop the silo, or wait until the segment is sealed.", e);
        }
        catch (Exception e) when (e is IOException and not StorageException or UnauthorizedAccessException)
        {
            throw new SegmentUnreadableException(path, e);
        }
    }

    private static InspectedSegment Read(IVolumeFile file, bool everyFrame, SegmentHeader? headerIfLost, IProgress<long>? progress)
    {
        var damage = new List<DamagedPlace>();
        var page = new byte[FileLayout.HeaderPageBytes];
        var read = file.Read(0, page);
        SegmentHeader? own = null;
        Try(damage, () => own = SegmentHeaderCodec.Decode(file.Path, page.AsSpan(0, read)));
        var seen = new InspectedSegment { Path = file.Path, FileBytes = file.Length, Header = own, Damage = damage };
        if ((own ?? headerIfLost) is not { } header)
        {
            return seen;
        }

        SegmentLoader.States? states = null;
        Try(damage, () =>
        {
            states = SegmentLoader.States.Decode(file.Path, page, header.Identity.ChecksumKey);
            SegmentLoader.CheckLength(file.Path, file.Length, header, states);
        });
        seen = seen with { States = states };
        if (states?.End is { } end && damage.Count == 0)
        {
            seen = seen with { Tail = end.End };
        }
        else if (states is { End: null } && damage.Count == 0)
        {
            Try(damage, () =>
            {
                var recovered = UnfinishedRecovery.Begin(file, header, states, writable: false).Finish();
                seen = seen with { Tail = recovered.Tail, TornBytes = recovered.TornBytes, LostPower = recovered.PowerWasLost };
            });
        }

        var walk = everyFrame ? Walk(file, header, seen, damage, progress) : null;
        return Footed(file, header, seen, walk);
    }

    private static SegmentWalk Walk(IVolumeFile file, SegmentHeader header, InspectedSegment seen, List<DamagedPlace> damage, IProgress<long>? progress)
    {
        var walk = new SegmentWalk(file, header, seen.Tail?.Offset ?? Math.Min(file.Length, header.FileBytes));
        walk.Run(full: seen.Tail is not null, progress);
        damage.AddRange(walk.Damage.Where(place => damage.TrueForAll(known => known.Offset != place.Offset)));
        damage.Sort(static (a, b) => a.Offset.CompareTo(b.Offset));
        if (seen.Tail is { } tail && damage.Count == 0)
        {
            if (header.BasePosition + walk.Next != tail.Position)
            {
                damage.Add(new DamagedPlace(file.Path, tail.Offset, $"the frames end at position {header.BasePosition + walk.Next}, the file says {tail.Position}"));
            }
            else if (seen.States?.End is { } end && end.ContentHash != walk.Hash)
            {
                damage.Add(new DamagedPlace(file.Path, FileLayout.Sealed, $"the content hash of the frames is {walk.Hash:x16}, the file says {end.ContentHash:x16}"));
            }
        }

        return walk;
    }

    private static InspectedSegment Footed(IVolumeFile file, SegmentHeader header, InspectedSegment seen, SegmentWalk? walk)
    {
        seen = seen with { LastWholeEnd = walk?.LastWholeEnd ?? 0 };
        if (seen.States?.End is null || seen.Tail is not { } end)
        {
            return seen;
        }

        // Never more than a footer can have: CheckLength draws the same bound.
        var longest = Footer.MostBytes(end.Position - header.BasePosition);
        var bytes = new byte[Math.Clamp(file.Length - end.Offset, 0, longest)];
        var read = bytes.AsMemory(0, file.Read(end.Offset, bytes));
        var key = header.Identity.ChecksumKey;
        var found = Footer.TryRead(read, key, end.Offset);
        var ofFrames = seen.Damage.Count == 0 ? walk?.Footer : null;
        var state = found is not null
            ? ofFrames is null || ofFrames.SaysTheSame(found) ? FooterState.Whole : FooterState.Broken
            : Frame.TryRead(read.Span, end.Offset, key, out var other) switch
            {
                FrameStatus.Nothing => FooterState.Missing,
                // What was written behind the place at which the chain later said that it ends.
                FrameStatus.Whole when other.Kind != FrameKind.Footer => FooterState.Missing,
                _ => FooterState.Broken,
            };
        return seen with { Footer = state, FooterOfFrames = ofFrames };
    }

    private static void Try(List<DamagedPlace> damage, Action look)
    {
        try
        {
            look();
        }
        catch (SegmentDamagedException e)
        {
            damage.Add(DamagedPlace.Of(e));
        }
    }
}
