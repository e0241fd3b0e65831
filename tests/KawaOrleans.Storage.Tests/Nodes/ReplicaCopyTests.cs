using System.Buffers.Binary;
using KawaOrleans.Format;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Tests.Simulation;

namespace KawaOrleans.Storage.Tests.Nodes;

/// <summary>A replica that comes from another node takes the place of what is there, whatever cuts it off.</summary>
public sealed class ReplicaCopyTests
{
    private const int Events = 40;

    private static readonly SegmentHeader Header = Sample.Header(fileBytes: 128 * 1024) with
    {
        Ensemble = [Sample.NodeId, new("20000000-0000-0000-0000-000000000002")], AckQuorum = 2,
    };

    private readonly StillTime _time = new();

    [Fact]
    public async Task A_copy_takes_the_place_of_a_damaged_replica_which_is_kept_aside()
    {
        var groups = await Source();
        var volume = new SimulatedVolume();
        string path;
        using (var store = Open(volume))
        {
            path = store.Create(Header).Path;
        }

        using (var file = volume.Open(path, writable: true))
        {
            file.Write(8, [0xFF]);
        }

        using (var store = Open(volume))
        {
            Assert.Single(store.Untrusted);
            AssertWhole(Heal(store, groups), groups);
            Assert.Empty(store.Untrusted);
            Assert.Equal(2, volume.Files("/kawa/aside").Count); // the file and why
            Assert.Empty(volume.Files("/kawa/copies"));
        }

        using var again = Open(volume);
        AssertWhole(Assert.Single(again.Segments), groups);
    }

    [Fact]
    public async Task A_copy_that_was_cut_off_goes_on_where_it_was_and_nothing_of_it_is_seen_before()
    {
        var groups = await Source();
        var volume = new SimulatedVolume();
        long reached;
        using (var store = Open(volume))
        {
            using var copy = store.BeginCopy(Header);
            var first = FirstGroups(groups, 3);
            reached = copy.Take(copy.Tail, first).Position;
            Assert.InRange(reached, 1, Events - 1);
            Assert.Empty(store.Segments);
            Assert.Throws<InvalidOperationException>(() => copy.Seal(Events));
        }

        using (var store = Open(volume))
        {
            Assert.Empty(store.Segments);
            using (var copy = store.BeginCopy(Header))
            {
                Assert.Equal(reached, copy.Tail.Position);
                Assert.Equal(copy.Tail, copy.Take(default, groups)); // not what comes next: nothing happens
            }

            AssertWhole(Heal(store, groups), groups);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cut_off_anywhere_healing_is_done_again_and_what_it_replaced_is_never_gone(bool powerLoss)
    {
        var groups = await Source();
        var volume = new SimulatedVolume();
        using (var store = Open(volume))
        {
            store.Create(Header);
        }

        var path = volume.AllFiles.Single(file => file.EndsWith(".seg", StringComparison.Ordinal));
        volume.Bytes(path)[8] ^= 1;
        volume.Replace(path, volume.Bytes(path).ToArray());
        var start = volume.RecordFromHere();
        using (var store = Open(volume))
        {
            Heal(store, groups);
        }

        var crashes = powerLoss
            ? CrashPoints.PowerLosses(start, [.. volume.Recorded!], seeds: 1, everySector: false)
            : CrashPoints.Kills(start, [.. volume.Recorded!], everySector: false);
        var swept = 0;
        foreach (var (left, _, where) in crashes)
        {
            using (var store = Open(left))
            {
                var replica = store.Segments.SingleOrDefault();
                Assert.True(replica is null or { State: SegmentState.Sealed }, where);
                AssertWhole(replica ?? Heal(store, groups), groups);
            }

            Assert.True(left.AllFiles.Any(file => file.Contains("/aside/", StringComparison.Ordinal) && file.EndsWith(".seg", StringComparison.Ordinal)), where);
            swept++;
        }

        Assert.True(swept > 50, $"{swept} crashes");
    }

    /// <summary>After a failed sync the page cache shows as clean what the disk never took. The groups of a copy are not synced one by one, so a
    /// checkpoint among them says nothing of what lies before it: all of it has to be written again.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_failed_sync_lost_of_a_copy_is_on_the_disk_before_the_copy_is_sealed(bool restarts)
    {
        var groups = await Source();
        var volume = new SimulatedVolume();
        var store = Open(volume);
        using (var copy = store.BeginCopy(Header))
        {
            TakeRest(copy, groups);
            volume.Fault = operation => Fail(operation.Kind == OperationKind.Sync);
            Assert.Throws<SegmentPoisonedException>(() => copy.Seal(Events));
            volume.Fault = null;
        }

        if (restarts)
        {
            store.Dispose();
            store = Open(volume);
        }

        Heal(store, groups);
        using var rebooted = Open(volume.AfterPowerLoss(Survival.None));
        var replica = Assert.Single(rebooted.Segments);
        Assert.Null(Verified(rebooted, replica));
        AssertWhole(replica, groups);
        store.Dispose();
    }

    [Fact]
    public async Task What_does_not_verify_is_not_taken()
    {
        var groups = await Source();
        using var store = Open(new SimulatedVolume());
        using var copy = store.BeginCopy(Header);
        for (var at = 40; at < groups.Length; at += 97)
        {
            var harmed = groups.ToArray();
            harmed[at] ^= 1;
            Assert.Throws<BatchRefusedException>(() => copy.Take(copy.Tail, harmed));
            Assert.Equal(0, copy.Tail.Position);
        }
    }

    [Fact]
    public async Task Copies_that_nobody_needs_are_removed_and_others_stay()
    {
        var groups = await Source();
        var volume = new SimulatedVolume();
        using var store = Open(volume);
        store.BeginCopy(Header).Dispose();
        store.DiscardCopies(new HashSet<Guid> { Header.LogId }, new HashSet<Guid> { Header.Identity.Id });
        store.DiscardCopies(new HashSet<Guid> { Guid.NewGuid() }, new HashSet<Guid>());
        Assert.Single(volume.Files("/kawa/copies"));
        store.DiscardCopies(new HashSet<Guid> { Header.LogId }, new HashSet<Guid>());
        Assert.Empty(volume.Files("/kawa/copies"));
        AssertWhole(Heal(store, groups), groups);
    }

    [Fact]
    public async Task A_sealed_replica_that_rotted_is_found_and_distrusted()
    {
        var groups = await Source();
        var volume = new SimulatedVolume();
        string path;
        using (var store = Open(volume))
        {
            var whole = Heal(store, groups);
            whole.WriteFooter();
            Assert.Null(Verified(store, whole));
            path = whole.Path;
        }

        var middle = new byte[1];
        using (var file = volume.Open(path, writable: true))
        {
            file.Read(8192 + (groups.Length / 2), middle);
            file.Write(8192 + (groups.Length / 2), [(byte)(middle[0] ^ 1)]);
        }

        using (var store = Open(volume))
        {
            Assert.Empty(store.Untrusted);
            Assert.Contains("damaged at offset", Verified(store, Assert.Single(store.Segments)), StringComparison.Ordinal);
            Assert.Equal(path, Assert.Single(store.Untrusted).Path);
            AssertWhole(Heal(store, groups), groups);
            Assert.Empty(store.Untrusted);
        }
    }

    /// <summary>What is wrong with a segment, once its footer was seen to.</summary>
    private static string? Verified(NodeStore store, Segment segment)
    {
        string? problem = null;
        Assert.True(SpinWait.SpinUntil(() => store.TryVerify(segment, out problem), TimeSpan.FromSeconds(30)));
        return problem;
    }

    private static ReadOnlyMemory<byte> FirstGroups(ReadOnlyMemory<byte> groups, int count)
    {
        var disk = new SimulatedVolume();
        using var segment = SegmentLoader.Create(new SegmentHost(disk, new MapCache(), new StillTime(), null), "/one.seg", Header);
        segment.Fence(1);
        segment.OpenReplica().Complete(0, 8192, groups);
        return segment.ReadGroups(8192, count * 200).ToArray();
    }

    private static Segment Heal(NodeStore store, ReadOnlyMemory<byte> groups)
    {
        using var copy = store.BeginCopy(Header);
        TakeRest(copy, groups);

        copy.Seal(Events);
        return store.Install(copy, "it was damaged");
    }

    /// <summary>In several pieces, as they come from another node.</summary>
    private static void TakeRest(ReplicaCopy copy, ReadOnlyMemory<byte> groups)
    {
        while (copy.Tail.Position < Events)
        {
            var rest = groups[(int)(copy.Tail.Offset - 8192)..];
            var length = 0;
            for (var frame = 0; frame < 3 && length < rest.Length; frame++)
            {
                length += FrameLayout.Padded(BinaryPrimitives.ReadInt32LittleEndian(rest.Span[(length + FrameLayout.Length)..]));
            }

            copy.Take(copy.Tail, rest[..length]);
        }
    }

    private static void AssertWhole(Segment segment, ReadOnlyMemory<byte> groups)
    {
        Assert.Equal((SegmentState.Sealed, Events), (segment.State, segment.Tail.Position));
        Assert.Equal(groups.ToArray(), segment.ReadGroups(8192, int.MaxValue).ToArray());
        Assert.Equal(Events, Sample.ReadAll(segment).Count);
    }

    /// <summary>The write groups of a whole replica.</summary>
    private static async Task<ReadOnlyMemory<byte>> Source()
    {
        using var segment = SegmentLoader.Create(
            new SegmentHost(new SimulatedVolume(), new MapCache(), new StillTime(), null) { CheckpointIntervalBytes = 1024 }, "/source.seg", Header);
        var writer = segment.OpenWriter(Guid.NewGuid());
        for (var i = 0; i < Events; i++)
        {
            await writer.AppendAsync(Sample.Batch(i, 1));
        }

        segment.Fence(1);
        segment.Seal(Events);
        return segment.ReadGroups(8192, int.MaxValue).ToArray();
    }

    private static void Fail(bool fails)
    {
        if (fails)
        {
            throw new IOException("the sync failed");
        }
    }

    private NodeStore Open(SimulatedVolume volume) => NodeStore.Open(volume, "/kawa", "node-1", _time);
}
