using KawaOrleans.Format;
using KawaOrleans.Storage.Inspection;
using KawaOrleans.Storage.Nodes;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Tests.Simulation;
using Xunit.Abstractions;

namespace KawaOrleans.Storage.Tests.Faults;

/// <summary>
/// Changes to a segment file, each held against what docs/FORMAT.md says must become of it, worked out here from the file as it
/// was. By default one bit of each byte of hints, checkpoints and footer, of every third byte of header and states and of every
/// nineteenth of events, and all pages and frames; <c>KAWA_SWEEP=full</c> flips every bit there is.
/// </summary>
public sealed class DamageSweepTests(ITestOutputHelper output)
{
    private const int FirstEvent = 1000;
    private const int Events = 30;
    private const int PageBytes = 4096;
    private static readonly bool Full = Environment.GetEnvironmentVariable("KAWA_SWEEP") == "full";
    private static readonly string Path = $"/kawa/logs/10000000000000000000000000000001/{Workload.FirstId:N}-0.seg";
    private static readonly string Other = $"/kawa/logs/10000000000000000000000000000001/{Workload.SecondId:N}-0.seg";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_change_of_an_open_segment_is_damage_or_torn_or_harmless_as_it_must_be(bool withCheckpoint)
    {
        var volume = await DamageTests.StoreAsync(withCheckpoint);
        var whole = volume.Bytes(Path).ToArray();
        var frames = Frames(whole);
        var seen = new Dictionary<Outcome, int>();
        foreach (var (what, changed) in Changes(whole, frames, volume.Bytes(Other).ToArray()))
        {
            var expected = Expect(whole, changed, frames);
            volume.Replace(Path, changed);
            var found = Outcome.Damaged;
            try
            {
                using var segment = Load(volume);
                found = segment.Tail.Offset < frames[^1].End ? Outcome.Cut : ReadsWell(segment) ? Outcome.Harmless : Outcome.ToldToReaders;
                Assert.True(found != Outcome.Cut || segment.Tail.Offset == expected.End, $"{what}: cut at {segment.Tail.Offset}, not at {expected.End}");
                Assert.True(found != Outcome.Cut || segment.TornBytes > 0 || !changed.AsSpan((int)expected.End).ContainsAnyExcept((byte)0), $"{what}: cut in silence");
            }
            catch (StorageException e) when (e is not SegmentUnreadableException)
            {
                Assert.True(changed.AsSpan().SequenceEqual(volume.Bytes(Path)), $"{what}: a file not trusted was written");
            }

            Assert.True(expected.Allowed.Contains(found), $"{what}: {found}, not {string.Join(" or ", expected.Allowed)}");
            seen[found] = seen.GetValueOrDefault(found) + 1;
        }

        output.WriteLine(string.Join(", ", seen.Select(static s => $"{s.Value} {s.Key}")));
        Assert.Equal(withCheckpoint ? 4 : 3, seen.Count);
    }

    [Fact]
    public async Task Every_change_of_a_sealed_segment_is_told_and_no_frame_is_written_again()
    {
        var volume = await DamageTests.StoreAsync(withCheckpoint: true, seal: true);
        var whole = volume.Bytes(Path).ToArray();
        var frames = Frames(whole);
        var end = (int)frames[^1].End;
        var (refused, told, footers) = (0, 0, 0);
        foreach (var (what, changed) in Changes(whole, frames, volume.Bytes(Other).ToArray()))
        {
            volume.Replace(Path, changed);
            var inSectors = Differ(whole, changed, 0, 4 * FileLayout.SectorBytes);
            var inFrames = Differ(whole, changed, (int)FileLayout.FirstFrame, end);
            AssertVerified(what, volume, inSectors || inFrames || Differ(whole, changed, end, end + FooterBytes(whole, end)));
            try
            {
                using var segment = Load(volume);
                Assert.False(inSectors, $"{what}: went unseen");
                Assert.True(ReadsWell(segment) != inFrames, $"{what}: {(inFrames ? "was read as if nothing had happened" : "cannot be read")}");
                Assert.True(changed.AsSpan().SequenceEqual(volume.Bytes(Path)), $"{what}: a sealed file was written");
                if (!inFrames)
                {
                    Assert.Equal(Events, segment.Bounds!.Value.Events);
                    segment.WriteFooter();
                    Assert.True(whole.AsSpan(end).SequenceEqual(volume.Bytes(Path)[end..]), $"{what}: the footer is not the one it was");
                    footers++;
                }

                told += inFrames ? 1 : 0;
            }
            catch (StorageException e) when (e is not SegmentUnreadableException)
            {
                Assert.True(inSectors, $"{what}: {e.Message}");
                refused++;
            }

            Assert.True(changed.AsSpan(0, end).SequenceEqual(volume.Bytes(Path)[..end]), $"{what}: sealed data was rewritten");
        }

        output.WriteLine($"{refused} refused, {told} told to readers, {footers} footers built again or left");
        Assert.True(refused > 0 && told > 0 && footers > 0);
    }

    private enum Outcome
    {
        Harmless,
        Cut,
        Damaged,
        ToldToReaders,
    }

    private sealed record Place(long Offset, long End, long GroupStart, FrameKind Kind, bool EndsBatch);

    /// <summary>By the rules of the format alone: the first frame that is not as it was, and what is left to prove that it was there.</summary>
    private static (IReadOnlyList<Outcome> Allowed, long End) Expect(byte[] whole, byte[] changed, List<Place> frames)
    {
        if (Differ(whole, changed, 0, 4 * FileLayout.SectorBytes))
        {
            return ([Outcome.Damaged], 0);
        }

        if (frames.Find(frame => Differ(whole, changed, (int)frame.Offset, (int)frame.End)) is not { } bad)
        {
            return ([Outcome.Harmless], frames[^1].End);
        }

        var hinted = Differ(whole, changed, (int)FileLayout.HintA, (int)FileLayout.FirstFrame) ? null : frames.FindLast(static frame => frame.Kind == FrameKind.Checkpoint);
        if (bad.Offset < hinted?.Offset)
        {
            return (bad.Kind == FrameKind.Checkpoint ? [Outcome.Damaged] : [Outcome.ToldToReaders, Outcome.Damaged], 0);
        }

        var proof = bad.Offset == hinted?.Offset
            || frames.Exists(frame => frame.GroupStart > bad.Offset && !Differ(whole, changed, (int)frame.Offset, (int)frame.End));
        var end = frames.FindLast(frame => frame.End <= bad.Offset && frame.EndsBatch)?.End ?? FileLayout.FirstFrame;
        return proof ? ([Outcome.Damaged], 0) : ([Outcome.Cut], end);
    }

    private static IEnumerable<(string What, byte[] Changed)> Changes(byte[] whole, List<Place> frames, byte[] other)
    {
        var end = (int)frames[^1].End;
        var footer = FooterBytes(whole, end);
        var dense = Enumerable.Range(0, 4 * FileLayout.SectorBytes).Where(static at => Full || at % 3 == 0)
            .Concat(Enumerable.Range((int)FileLayout.HintA, FileLayout.SectorBytes)).Concat(Enumerable.Range((int)FileLayout.HintB, FileLayout.SectorBytes))
            .Concat(frames.Where(static f => f.Kind == FrameKind.Checkpoint).SelectMany(static f => Enumerable.Range((int)f.Offset, (int)(f.End - f.Offset))))
            .Concat(Enumerable.Range(end, footer));
        var sparse = Enumerable.Range((int)FileLayout.FirstFrame, end - (int)FileLayout.FirstFrame).Where(static at => Full || at % 19 == 0);
        foreach (var at in dense.Concat(sparse).Distinct())
        {
            for (var bit = Full ? 0 : at % 8; bit < (Full ? 8 : (at % 8) + 1); bit++)
            {
                yield return ($"bit {bit} of byte {at}", With(whole, at, [(byte)(whole[at] ^ (1 << bit))]));
            }
        }

        for (var page = 0; page < end; page += PageBytes)
        {
            yield return ($"page {page} zeroed", With(whole, page, new byte[PageBytes]));
            yield return ($"page {page} of another segment", With(whole, page, other[page..(page + PageBytes)]));
            for (var from = 0; from < end; from += PageBytes)
            {
                yield return ($"page {from} over page {page}", With(whole, page, whole[from..(from + PageBytes)]));
            }
        }

        foreach (var frame in frames)
        {
            var length = (int)(frame.End - frame.Offset);
            var from = frames.Find(f => f.End - f.Offset == length && f != frame);
            foreach (var (name, key) in new[] { ("the same segment in another epoch", Key(epoch: 2)), ("another segment", Key(Workload.SecondId)) })
            {
                yield return ($"frame {frame.Offset} as {name} has it", With(whole, (int)frame.Offset, Restamped(whole, frame, key)));
            }

            if (from is not null)
            {
                yield return ($"frame {from.Offset} over frame {frame.Offset}", With(whole, (int)frame.Offset, whole[(int)from.Offset..(int)from.End]));
            }
        }
    }

    /// <summary>The frame as it would lie at the same offset of another file: right but for its checksum's key, which enters by XOR.</summary>
    private static byte[] Restamped(byte[] whole, Place frame, uint key)
    {
        var bytes = whole[(int)frame.Offset..(int)frame.End];
        foreach (var at in Enumerable.Range(0, FrameLayout.HeaderBytes - 3))
        {
            var made = bytes.ToArray();
            BitConverter.TryWriteBytes(made.AsSpan(at), BitConverter.ToUInt32(made.AsSpan(at)) ^ Key() ^ key);
            if (Frame.TryRead(made, frame.Offset, key, out _) == FrameStatus.Whole)
            {
                return made;
            }
        }

        throw new InvalidOperationException("the checksum does not lie in the header");
    }

    private static uint Key(Guid? id = null, long epoch = 1) => Sample.Header(id ?? Workload.FirstId, epoch: epoch).Identity.ChecksumKey;

    private static byte[] With(byte[] whole, int at, byte[] bytes)
    {
        var changed = whole.ToArray();
        bytes.CopyTo(changed, at);
        return changed;
    }

    private static bool Differ(byte[] a, byte[] b, int from, int to) => !a.AsSpan(from, to - from).SequenceEqual(b.AsSpan(from, to - from));

    private static int FooterBytes(byte[] whole, int end) =>
        Frame.TryRead(whole.AsSpan(end), end, Key(), out var footer) == FrameStatus.Whole ? footer.Bytes.Length : 0;

    private static List<Place> Frames(byte[] file)
    {
        var frames = new List<Place>();
        for (var offset = FileLayout.FirstFrame; Frame.TryRead(file.AsSpan((int)offset), offset, Key(), out var frame) == FrameStatus.Whole && frame.Kind != FrameKind.Footer; offset = frame.End)
        {
            frames.Add(new Place(offset, frame.End, frame.GroupStart, frame.Kind, frame.Kind != FrameKind.Event || (frame.Traits & FrameTraits.LastOfBatch) != 0));
        }

        return frames;
    }

    private static bool ReadsWell(Segment segment)
    {
        try
        {
            var events = Sample.ReadAll(segment, FirstEvent);
            for (var i = 0; i < events.Count; i++)
            {
                Assert.Equal(FirstEvent + i, events[i].Position);
                Assert.Equal(Sample.Event(i).Id, events[i].Id);
            }

            Assert.Equal(segment.Tail.Position, FirstEvent + events.Count);
            return true;
        }
        catch (Exception e) when (e is StorageException or Xunit.Sdk.XunitException)
        {
            return false;
        }
    }

    private static void AssertVerified(string what, SimulatedVolume volume, bool damaged)
    {
        try
        {
            var verified = SegmentInspection.Verify(volume, Path);
            var told = verified.AllDamage.Any() || (verified.Header is { } header && WhyMisplaced(header) is not null);
            Assert.True(told == damaged, $"{what}: verify says {string.Join("; ", verified.AllDamage)}, footer {verified.Footer}");
        }
        catch (NotASegmentException)
        {
            Assert.True(damaged, what);
        }
    }

    /// <summary>As a store does it.</summary>
    private static Segment Load(SimulatedVolume volume) =>
        SegmentLoader.Load(new SegmentHost(volume, new MapCache(), TimeProvider.System, null), Path, writable: true, WhyMisplaced);

    private static string? WhyMisplaced(SegmentHeader header) => DirectoryScan.WhyMisplaced(Path, Sample.LogId, header);
}
