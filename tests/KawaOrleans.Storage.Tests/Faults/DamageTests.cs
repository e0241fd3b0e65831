using System.Runtime.Versioning;
using KawaOrleans.Format;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Tests.Simulation;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Tests.Faults;

/// <summary>What befalls files between two runs. Each case is one of: a torn tail (cut and said), damage, unreadable, not ours;
/// all but the first change no byte of the file, tell what to do, and leave the other segments at work.</summary>
public sealed class DamageTests
{
    private const string Folder = "/kawa/logs/10000000000000000000000000000001";
    private static readonly bool Full = Environment.GetEnvironmentVariable("KAWA_SWEEP") == "full";
    private static readonly string First = $"{Folder}/{Workload.FirstId:N}-0.seg";
    private static readonly string Other = $"{Folder}/{Workload.SecondId:N}-0.seg";

    [Fact]
    public async Task Every_truncation_of_a_segment_file_is_told()
    {
        var volume = await StoreAsync();
        var whole = volume.Bytes(First).ToArray();
        for (var length = 0; length < whole.Length; length += Full || length < 600 ? 1 : 97)
        {
            volume.Replace(First, whole.AsSpan(0, length));
            Assert.ThrowsAny<StorageException>(() => Load(volume, First));
            Assert.Equal(whole[..length], volume.Bytes(First).ToArray());
        }
    }

    [Fact]
    public async Task A_segment_file_that_has_grown_is_damage()
    {
        var volume = await StoreAsync();
        volume.Replace(First, [.. volume.Bytes(First), .. new byte[4096]]);

        AssertUntrusted(volume, First, "lengthened", unreadable: false);
    }

    [Fact]
    public async Task Frames_of_another_segment_moved_in_do_not_verify()
    {
        var volume = await StoreAsync();
        volume.Bytes(Other)[8192..].CopyTo(volume.Bytes(First)[8192..]);

        // Not one frame of its own is left, so it looks as if its only group had been torn: it says so.
        using var segment = Load(volume, First);
        Assert.Equal(1000, segment.Tail.Position);
        Assert.True(segment.TornBytes > 0);
    }

    [Fact]
    public async Task A_frame_of_another_segment_among_its_own_is_damage()
    {
        var volume = await StoreAsync();
        volume.Bytes(Other).Slice(8192, 1024).CopyTo(volume.Bytes(First)[8192..]);

        AssertUntrusted(volume, First, "a later write group", unreadable: false);
    }

    [Fact]
    public async Task Two_swapped_files_are_both_told()
    {
        var volume = await StoreAsync();
        var (first, other) = (volume.Bytes(First).ToArray(), volume.Bytes(Other).ToArray());
        volume.Replace(First, other);
        volume.Replace(Other, first);

        using var store = Open(volume);
        Assert.Empty(store.Segments);
        Assert.Equal([First, Other], store.Untrusted.Select(u => u.Path).Order());
        Assert.All(store.Untrusted, u => Assert.Contains("not the one its name says", u.Problem));
        Assert.Equal(other, volume.Bytes(First).ToArray());
    }

    /// <summary>Where the file belongs was asked only after recovery, which by the foreign header saw no frame and erased them all.</summary>
    [Fact]
    public async Task A_header_page_of_another_segment_is_told_and_costs_no_frame()
    {
        var volume = await StoreAsync();
        volume.Bytes(Other)[..4096].CopyTo(volume.Bytes(First));

        AssertUntrusted(volume, First, "not the one its name says", unreadable: false);
    }

    [Theory]
    [InlineData(16, "version 9", "Use the program")]
    [InlineData(8, "does not begin like", "move it out")]
    public async Task A_file_of_another_version_or_of_another_kind_is_not_ours(int field, string found, string advice)
    {
        var volume = await StoreAsync();
        var sector = volume.Bytes(First)[..512];
        sector[field] = 9;
        if (field == 16)
        {
            Sector.Finish(sector, BitConverter.ToUInt64(sector[8..]), segmentKey: 0);
        }

        AssertUntrusted(volume, First, found, unreadable: false);
        AssertUntrusted(volume, First, advice, unreadable: false);
    }

    [Theory]
    [InlineData(OperationKind.Open)]
    [InlineData(OperationKind.Read)]
    public async Task A_medium_that_fails_makes_the_segment_unreadable_which_is_not_damage(OperationKind failing)
    {
        var volume = await StoreAsync();
        volume.Fault = o => Fail(o.Kind == failing && o.Path == First);

        AssertUntrusted(volume, First, "Check the medium", unreadable: true);
    }

    [Fact]
    public async Task A_file_that_may_not_be_opened_is_unreadable()
    {
        var volume = await StoreAsync();
        volume.Fault = o => _ = o.Kind == OperationKind.Open && o.Path == First ? throw new UnauthorizedAccessException("Permission denied") : 0;

        AssertUntrusted(volume, First, "permissions", unreadable: true);
    }

    [SkippableFact]
    [UnsupportedOSPlatform("windows")]
    public async Task A_file_without_permissions_is_unreadable_on_the_real_disk()
    {
        Skip.If(!OperatingSystem.IsLinux() || Environment.IsPrivilegedProcess, "root may read every file; run as another user");
        using var directory = new TestDirectory();
        string path;
        using (var store = NodeStore.Open(directory.Path, Workload.NodeName))
        {
            var segment = store.Create(Sample.Header());
            path = segment.Path;
            await segment.OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Event(0));
        }

        File.SetUnixFileMode(path, UnixFileMode.None);
        using (var store = NodeStore.Open(directory.Path, Workload.NodeName))
        {
            Assert.True(Assert.Single(store.Untrusted).IsUnreadable);
        }

        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Theory]
    [InlineData(OperationKind.Write)]
    [InlineData(OperationKind.Sync)]
    public async Task A_recovery_that_cannot_write_serves_nothing(OperationKind failing)
    {
        var volume = await StoreAsync();
        volume.Fault = o => Fail(o.Kind == failing && o.Path == First);

        AssertUntrusted(volume, First, "a write or sync failed", unreadable: true);
    }

    [Fact]
    public async Task Every_read_that_fails_in_recovery_is_told_and_the_next_start_is_as_if_it_had_not()
    {
        var pristine = await StoreAsync();
        for (var failing = 0; failing < 20; failing++)
        {
            var volume = pristine.AfterKill();
            var seen = 0;
            volume.Fault = o => Fail(o.Kind == OperationKind.Read && o.Path == First && seen++ == failing);
            using (var store = Open(volume))
            {
                var untrusted = store.Untrusted;
                Assert.Equal(seen > failing ? 1 : 0, untrusted.Count);
                Assert.Equal(seen > failing, untrusted.Any(u => u.IsUnreadable));
            }

            volume.Fault = null;
            using var again = Open(volume);
            Assert.Empty(again.Untrusted);
            if (seen <= failing)
            {
                return;
            }
        }
    }

    [Theory]
    [InlineData("logs/stranger.txt")]
    [InlineData("logs/10000000000000000000000000000001/notes.txt")]
    public async Task A_file_that_is_none_of_ours_is_told_and_kept(string name)
    {
        var volume = await StoreAsync();
        volume.Create($"/kawa/{name}", 10, Preparation.Allocated).Dispose();

        using var store = Open(volume);

        Assert.Contains("Move it out", Assert.Single(store.Untrusted).Problem);
        Assert.True(volume.Exists($"/kawa/{name}"));
        Assert.Equal(2, store.Segments.Count);
    }

    /// <summary>Only files were listed: a directory under a segment's name, and any beside them, went unseen.</summary>
    [Fact]
    public async Task A_directory_in_the_place_of_a_segment_is_told_with_the_segment_it_is_named_after()
    {
        var volume = await StoreAsync();
        volume.Vanish(First);
        volume.CreateDirectory(First);

        using var store = Open(volume);

        Assert.Equal((First, (Guid?)Workload.FirstId), (store.Untrusted.Single().Path, store.Untrusted.Single().SegmentId));
        Assert.Throws<StorageException>(() => store.Create(Sample.Header(Workload.FirstId, basePosition: 1000)));
    }

    /// <summary>A reader that met nothing at its position answered as if the log ended there.</summary>
    [Fact]
    public async Task A_reader_of_a_rotted_open_segment_is_told_instead_of_reading_the_end_of_the_log()
    {
        var volume = await StoreAsync(withCheckpoint: true);
        using var segment = Load(volume, First);
        for (var at = 8192; at < 8192 + FrameLayout.HeaderBytes; at++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                volume.Bytes(First)[at] ^= (byte)(1 << bit);
                Assert.ThrowsAny<Exception>(() => Sample.ReadAll(segment, 1000));
                Assert.Throws<SegmentDamagedException>(() => segment.TryRead(1000, out _));
                volume.Bytes(First)[at] ^= (byte)(1 << bit);
            }
        }
    }

    [Fact]
    public async Task Damage_in_a_sealed_segment_is_told_to_the_reader_and_nothing_is_rewritten()
    {
        var volume = await StoreAsync(seal: true);
        volume.Bytes(First)[9000] ^= 1;
        var changed = volume.Bytes(First).ToArray();

        using var store = Open(volume);
        Assert.True(store.TryGet(Workload.FirstId, 0, out var segment));

        Assert.ThrowsAny<Exception>(() => Sample.ReadAll(segment!, 1000));
        Assert.Equal(changed, volume.Bytes(First).ToArray());
    }

    /// <summary>A store with a segment of thirty events in six groups, and a second segment of the log.</summary>
    internal static async Task<SimulatedVolume> StoreAsync(bool withCheckpoint = false, bool seal = false)
    {
        var volume = new SimulatedVolume();
        var work = new Workload(volume, new StillTime());
        var store = Open(volume);
        var first = store.Create(Sample.Header(Workload.FirstId, basePosition: 1000));
        var second = store.Create(Sample.Header(Workload.SecondId, basePosition: 1030));
        var writer = first.OpenWriter(Guid.NewGuid());
        foreach (var size in (int[])[8, 8, 8, 5])
        {
            await work.AppendAsync(writer, size);
        }

        if (withCheckpoint)
        {
            await Workload.CheckpointAsync(store, writer);
        }

        await work.AppendAsync(writer, 1);
        var next = second.OpenWriter(Guid.NewGuid());
        await next.AppendAsync(Sample.Batch(0, 20, 300));
        await next.AppendAsync(Sample.Batch(20, 20, 300));
        if (seal)
        {
            first.Fence(1);
            first.Seal(1030);
            first.WriteFooter();
        }

        return volume.AfterKill();
    }

    private static Segment Load(SimulatedVolume volume, string path) =>
        SegmentLoader.Load(new SegmentHost(volume, new MapCache(), TimeProvider.System, null), path, writable: true);

    private static NodeStore Open(SimulatedVolume volume) => NodeStore.Open(volume, "/kawa", Workload.NodeName, new StillTime());

    private static void AssertUntrusted(SimulatedVolume volume, string path, string problem, bool unreadable)
    {
        var before = volume.Bytes(path).ToArray();
        using (var store = Open(volume))
        {
            var told = Assert.Single(store.Untrusted);
            Assert.Equal((path, Workload.FirstId, Sample.LogId, unreadable), (told.Path, told.SegmentId, told.LogId, told.IsUnreadable));
            Assert.Contains(problem, told.Problem);
            Assert.False(store.TryGet(Workload.FirstId, 0, out _));
            Assert.True(store.TryGet(Workload.SecondId, 0, out var other));
            Assert.Equal(40, Sample.ReadAll(other!, 1030).Count);
        }

        Assert.Equal(before, volume.Bytes(path).ToArray());
    }

    private static void Fail(bool now)
    {
        if (now)
        {
            throw new IOException("Input/output error");
        }
    }
}
