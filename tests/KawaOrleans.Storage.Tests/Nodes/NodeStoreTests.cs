using System.Diagnostics;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Tests.Simulation;

namespace KawaOrleans.Storage.Tests.Nodes;

public sealed class NodeStoreTests : IDisposable
{
    private readonly TestDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_directory_keeps_its_identity()
    {
        Guid id;
        var cookie = Guid.NewGuid();
        NodeStart[] starts = [new(7, Guid.NewGuid()), new(8, Guid.NewGuid())];
        using (var store = Open())
        {
            id = store.Identity.Id;
            Assert.Null(store.Identity.Cookie);
            store.KeepStarts(starts);
            store.JoinCluster(cookie);
            store.JoinCluster(cookie);
        }

        using var again = Open();
        Assert.Equal(starts, again.Identity.Starts);
        Assert.Equal(("node-1", id, cookie), (again.Identity.Name, again.Identity.Id, again.Identity.Cookie));
    }

    [Fact]
    public void A_directory_of_another_node_is_refused_with_both_names()
    {
        Open().Dispose();

        var refused = Assert.Throws<ForeignDirectoryException>(() => Open("node-2"));

        Assert.Contains("node-1", refused.Message);
        Assert.Contains("node-2", refused.Message);
        Open().Dispose();
    }

    [Theory]
    [InlineData("")]
    [InlineData("Node")]
    [InlineData("../x")]
    public void A_name_that_is_none_makes_no_directory(string name)
    {
        Assert.Throws<ArgumentException>(() => NodeStore.Open(_directory.File("data"), name));
        Assert.False(Directory.Exists(_directory.File("data")));
    }

    [Fact]
    public void A_directory_of_another_cluster_is_refused_and_stays_with_its_own()
    {
        var cookie = Guid.NewGuid();
        using var store = Open();
        store.JoinCluster(cookie);

        Assert.Contains("name another directory", Assert.Throws<ForeignDirectoryException>(() => store.JoinCluster(Guid.NewGuid())).Message);
        Assert.Equal(cookie, store.Identity.Cookie);
    }

    [Fact]
    public void Logs_without_an_identity_belong_to_nobody_known()
    {
        using (var store = Open())
        {
            store.Create(Sample.Header());
        }

        File.Delete(_directory.File("node"));

        Assert.Contains("Restore that file", Assert.Throws<ForeignDirectoryException>(() => Open()).Message);
    }

    [Fact]
    public void A_damaged_identity_is_refused_and_frees_the_directory()
    {
        Open().Dispose();
        var bytes = File.ReadAllBytes(_directory.File("node"));
        for (var at = 0; at < bytes.Length; at++)
        {
            bytes[at] ^= 1;
            File.WriteAllBytes(_directory.File("node"), bytes);
            Assert.Throws<SegmentDamagedException>(() => Open());
            bytes[at] ^= 1;
        }

        File.WriteAllBytes(_directory.File("node"), bytes);
        Open().Dispose();
    }

    [Fact]
    public void A_second_store_on_the_directory_is_refused_until_the_first_is_closed()
    {
        using (Open())
        {
            Assert.Contains("in use by another process", Assert.Throws<DirectoryLockedException>(() => Open()).Message);
        }

        Open().Dispose();
    }

    /// <summary>A directory that cannot be locked for another reason was said to be in use by another process.</summary>
    [Fact]
    public void A_lock_file_that_cannot_be_opened_is_not_another_process()
    {
        Directory.CreateDirectory(_directory.File("lock"));

        Assert.IsNotType<DirectoryLockedException>(Assert.ThrowsAny<Exception>(() => Open()));
    }

    [SkippableFact]
    public void Another_process_that_holds_the_directory_is_seen_and_so_is_its_end()
    {
        Skip.IfNot(File.Exists("/usr/bin/flock"), "needs /usr/bin/flock to hold the lock from another process");
        Open().Dispose();
        using var holder = Process.Start(new ProcessStartInfo("/usr/bin/flock", ["--exclusive", _directory.File("lock"), "sh", "-c", "echo held; read line"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("held", holder.StandardOutput.ReadLine());

        Assert.Throws<DirectoryLockedException>(() => Open());

        holder.StandardInput.WriteLine();
        holder.WaitForExit();
        Open().Dispose();
    }

    [Fact]
    public void The_same_claim_again_answers_the_same_segment_and_another_under_its_id_is_refused()
    {
        using var store = Open();
        var segment = store.Create(Sample.Header());

        Assert.Same(segment, store.Create(Sample.Header()));
        Assert.Contains("Take a new segment id", Assert.Throws<StorageException>(() => store.Create(Sample.Header(epoch: 2))).Message);
        Assert.Contains("Take a new segment id", Assert.Throws<StorageException>(() => store.Create(Sample.Header(basePosition: 9))).Message);
        Assert.Same(segment, Assert.Single(store.Segments));
    }

    [Fact]
    public void A_header_that_no_file_may_have_makes_no_file()
    {
        using var store = Open();
        var good = Sample.Header();
        foreach (var bad in (SegmentHeader[])
            [
                good with { Ensemble = [] },
                good with { AckQuorum = 2 },
                good with { AckQuorum = 0 },
                good with { LogName = "No" },
                good with { BasePosition = -1 },
                good with { FileBytes = 65_537 },
                good with { FileBytes = 4096 },
                good with { LogId = Guid.Empty },
            ])
        {
            Assert.Throws<ArgumentException>(() => store.Create(bad));
        }

        Assert.Empty(Directory.GetFileSystemEntries(_directory.File("logs")));
    }

    [Fact]
    public async Task Segments_and_chains_are_found_again()
    {
        using (var store = Open())
        {
            await store.Create(Sample.Header()).OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Batch(0, 3));
            Assert.Equal(7, store.SaveChain(new SavedChain(Sample.LogId, "orders", 7, new byte[] { 1, 2 })));
            Assert.Equal(7, store.SaveChain(new SavedChain(Sample.LogId, "orders", 6, new byte[] { 9 })));
            Assert.Equal(7, store.SaveChain(new SavedChain(Sample.LogId, "orders", 7, new byte[] { 9 })));
        }

        using var again = Open();
        Assert.Equal(3, Sample.ReadAll(Assert.Single(again.Segments)).Count);
        var chain = Assert.Single(again.Chains);
        Assert.Equal(7, chain.Version);
        Assert.Equal(new byte[] { 1, 2 }, chain.Content.ToArray());
        Assert.Empty(again.Untrusted);
    }

    [Fact]
    public void A_damaged_chain_is_told_and_a_newer_one_takes_its_place()
    {
        using (var store = Open())
        {
            store.SaveChain(new SavedChain(Sample.LogId, "orders", 7, new byte[] { 1, 2 }));
        }

        var path = ChainPath(Sample.LogId);
        var bytes = File.ReadAllBytes(path);
        bytes[20] ^= 1;
        File.WriteAllBytes(path, bytes);

        using (var store = Open())
        {
            var told = Assert.Single(store.Untrusted);
            Assert.Equal((path, Sample.LogId, false), (told.Path, told.LogId, told.IsUnreadable));
            Assert.Empty(store.Chains);
            Assert.Equal(bytes, File.ReadAllBytes(path));
            Assert.Equal(8, store.SaveChain(new SavedChain(Sample.LogId, "orders", 8, new byte[] { 3 })));
            Assert.Empty(store.Untrusted);
        }

        using var again = Open();
        Assert.Equal(8, Assert.Single(again.Chains).Version);
    }

    /// <summary>A chain file copied into another log's folder was taken for that log's.</summary>
    [Fact]
    public void The_chain_of_another_log_is_told()
    {
        var other = Guid.NewGuid();
        using (var store = Open())
        {
            store.SaveChain(new SavedChain(Sample.LogId, "orders", 7, new byte[] { 1 }));
            store.SaveChain(new SavedChain(other, "bills", 3, new byte[] { 1 }));
        }

        File.Copy(ChainPath(Sample.LogId), ChainPath(other), overwrite: true);

        using var again = Open();
        Assert.Equal(ChainPath(other), Assert.Single(again.Untrusted).Path);
        Assert.Equal(Sample.LogId, Assert.Single(again.Chains).LogId);
    }

    [Fact]
    public void A_segment_set_aside_is_kept_with_the_reason_and_not_loaded_again()
    {
        using (var store = Open())
        {
            foreach (var reason in (string[])["not in chain 4", "not in chain 5"])
            {
                var segment = store.Create(Sample.Header());
                store.SetAside(segment, reason);
                store.SetAside(segment, reason);
                Assert.Empty(store.Segments);
            }
        }

        var notes = Directory.GetFiles(_directory.File("aside"), "*.why").Select(path => File.ReadAllText(path)).ToList();
        Assert.Equal(2, notes.Count);
        Assert.Contains(notes, note => note.EndsWith("not in chain 4", StringComparison.Ordinal));
        Assert.Contains(notes, note => note.EndsWith("not in chain 5", StringComparison.Ordinal));
        Assert.Equal(4, Directory.GetFiles(_directory.File("aside")).Length);
        using var again = Open();
        Assert.Empty(again.Segments);
        Assert.Empty(again.Untrusted);
    }

    [Fact]
    public void A_segment_stays_where_it_is_while_there_is_no_room_for_the_note()
    {
        var volume = new SimulatedVolume();
        using var store = NodeStore.Open(volume, Workload.Directory, Workload.NodeName, new StillTime());
        var segment = store.Create(Sample.Header());
        volume.Fault = o =>
        {
            if (o.Kind == OperationKind.Write)
            {
                throw new DiskFullException("/data/aside", 100, new IOException("no space left"));
            }
        };

        Assert.Throws<DiskFullException>(() => store.SetAside(segment, "not in chain 4"));
        Assert.Same(segment, Assert.Single(store.Segments));
        Assert.Equal(0, segment.GetStats().Events);

        volume.Fault = null;
        store.SetAside(segment, "not in chain 4");
        Assert.Empty(store.Segments);
        Assert.False(volume.Exists(segment.Path));
    }

    /// <summary>It wrote the footer and merged heads behind the back of whoever had the directory next.</summary>
    [Fact]
    public async Task A_store_that_was_closed_asks_nothing_more_of_its_directory()
    {
        var volume = new SimulatedVolume();
        var store = NodeStore.Open(volume, Workload.Directory, Workload.NodeName, new StillTime());
        var segment = store.Create(Sample.Header());
        await segment.OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Batch(0, 3));
        var end = segment.Fence(savedChainVersion: 1).Position;
        using var finishing = new ManualResetEventSlim();
        var here = Environment.CurrentManagedThreadId;
        var closed = false;
        var late = new System.Collections.Concurrent.ConcurrentQueue<Operation>();
        volume.Fault = o =>
        {
            if (Volatile.Read(ref closed))
            {
                late.Enqueue(o);
            }
            else if (Environment.CurrentManagedThreadId != here && !finishing.IsSet)
            {
                finishing.Set();
                Thread.Sleep(50);
            }
        };

        segment.Seal(end);
        finishing.Wait();
        store.Dispose();
        Volatile.Write(ref closed, true);
        await Task.Delay(200);

        Assert.Empty(late);
        store.Dispose();
    }

    /// <summary>Only a file that says it is a spare, and holds nothing behind that, is removed.</summary>
    [Theory]
    [InlineData("zeroes")]
    [InlineData("zeroed header page")]
    [InlineData("spare mark over a segment")]
    [InlineData("spare mark of another size")]
    public async Task What_only_looks_like_a_spare_is_told_and_left_alone(string what)
    {
        string path;
        using (var store = Open())
        {
            var segment = store.Create(Sample.Header());
            path = segment.Path;
            await segment.OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Batch(0, 3));
        }

        var bytes = File.ReadAllBytes(path);
        switch (what)
        {
            case "zeroes":
                bytes.AsSpan().Clear();
                break;
            case "zeroed header page":
                bytes.AsSpan(0, 4096).Clear();
                break;
            case "spare mark over a segment":
                SpareSector.Encode(bytes.Length).CopyTo(bytes, 0);
                break;
            default:
                bytes.AsSpan().Clear();
                SpareSector.Encode(bytes.Length + 4096).CopyTo(bytes, 0);
                break;
        }

        File.WriteAllBytes(path, bytes);

        using var again = Open();
        Assert.Equal(path, Assert.Single(again.Untrusted).Path);
        Assert.Equal(bytes, File.ReadAllBytes(path));
    }

    [Fact]
    public async Task A_file_prepared_for_one_durability_serves_the_other()
    {
        using var store = Open();
        foreach (var (made, used) in ((Durability, Durability)[])[(Durability.Durable, Durability.Mapped), (Durability.Mapped, Durability.Durable), (Durability.Mapped, Durability.Mapped)])
        {
            var segment = store.Create(Sample.Header(Guid.NewGuid()), made);
            Assert.Equal(64 * 1024, new FileInfo(segment.Path).Length);
            await segment.OpenWriter(Guid.NewGuid(), used).AppendAsync(Sample.Batch(0, 3));
            Assert.Equal(3, Sample.ReadAll(segment).Count);
        }
    }

    /// <summary>A change of the chain that the power cut short leaves the chain before it.</summary>
    [Fact]
    public void A_chain_slot_that_is_not_whole_leaves_the_other_one()
    {
        using (var store = Open())
        {
            store.SaveChain(new SavedChain(Sample.LogId, "orders", 7, new byte[] { 7 }));
            store.SaveChain(new SavedChain(Sample.LogId, "orders", 8, new byte[] { 8 }));
        }

        var path = ChainPath(Sample.LogId);
        var bytes = File.ReadAllBytes(path);
        bytes[(bytes.Length / 2) + 20] ^= 1;
        File.WriteAllBytes(path, bytes);

        using (var store = Open())
        {
            Assert.Equal(7, Assert.Single(store.Chains).Version);
            Assert.Empty(store.Untrusted);
            Assert.Equal(8, store.SaveChain(new SavedChain(Sample.LogId, "orders", 8, new byte[] { 9 })));
            Assert.Equal(9, store.SaveChain(new SavedChain(Sample.LogId, "orders", 9, new byte[100_000])));
        }

        using var again = Open();
        Assert.Equal((9, 100_000), (Assert.Single(again.Chains).Version, Assert.Single(again.Chains).Content.Length));
    }

    [Fact]
    public void The_current_write_segment_is_the_newest_that_still_takes_appends()
    {
        using var store = Open();
        Assert.Null(store.CurrentWriteSegment(Sample.LogId));
        var first = store.Create(Sample.Header(epoch: 1));
        Assert.Same(first, store.CurrentWriteSegment(Sample.LogId));
        first.OpenWriter(Guid.NewGuid());
        Assert.Same(first, store.CurrentWriteSegment(Sample.LogId));
        first.Fence(1);
        Assert.Null(store.CurrentWriteSegment(Sample.LogId));
        var second = store.Create(Sample.Header(Guid.NewGuid(), epoch: 2));
        Assert.Same(second, store.CurrentWriteSegment(Sample.LogId));
        Assert.Null(store.CurrentWriteSegment(Guid.NewGuid()));
    }

    [Fact]
    public async Task All_segments_are_visited_at_most_so_many_at_once()
    {
        using var store = WithSegments(12);
        var visited = new System.Collections.Concurrent.ConcurrentBag<Segment>();
        int now = 0, most = 0;
        var gate = new object();

        await store.ForEachSegmentAsync(
            async (segment, _) =>
            {
                lock (gate)
                {
                    most = Math.Max(most, ++now);
                }

                await Task.Yield();
                visited.Add(segment);
                lock (gate)
                {
                    now--;
                }
            },
            parallelism: 3);

        Assert.Equal(store.Segments.ToHashSet(), visited.ToHashSet());
        Assert.Equal(12, visited.Count);
        Assert.InRange(most, 1, 3);
    }

    [Fact]
    public async Task The_first_error_of_a_visit_ends_the_rest_and_is_thrown()
    {
        using var store = WithSegments(12);
        var visits = 0;

        var thrown = await Assert.ThrowsAsync<InvalidDataException>(() => store.ForEachSegmentAsync(
            (_, _) => Interlocked.Increment(ref visits) == 3 ? throw new InvalidDataException("third") : default, parallelism: 1));

        Assert.Equal("third", thrown.Message);
        Assert.Equal(3, visits);
    }

    [Fact]
    public void Stats_add_up()
    {
        using var store = WithSegments(2);

        Assert.All(store.GetStats(), s => Assert.Equal((64 * 1024, 8192, 0, false), (s.TotalBytes, s.UsedBytes, s.Events, s.IsReadOnly)));
        Assert.True(store.FreeBytes > 0);
    }

    /// <summary>Footers are finished in the background: one that came after the store was closed wrote to a directory that by then
    /// may have been another process's.</summary>
    [Fact]
    public async Task A_closed_segment_writes_no_footer()
    {
        var store = Open();
        var segment = store.Create(Sample.Header());
        await segment.OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Event(0));
        segment.Seal(segment.Fence(1).Position);
        segment.WriteFooter();
        store.Dispose();
        var path = segment.Path;
        var bytes = File.ReadAllBytes(path);
        bytes.AsSpan((int)segment.Tail.Offset).Clear();
        File.WriteAllBytes(path, bytes);

        Assert.False(segment.WriteFooter());
        Assert.Equal(bytes, File.ReadAllBytes(path));
    }

    /// <summary>Reading a sealed segment opens its file for a moment; the footer needs it alone. They met, and one of them failed:
    /// a healthy segment was called unreadable.</summary>
    [Fact]
    public async Task Readers_and_the_footer_of_a_sealed_segment_do_not_disturb_each_other()
    {
        for (var round = 0; round < 20; round++)
        {
            var path = _directory.File($"{round}.seg");
            using (var segment = Segment.Create(path, Sample.Header()))
            {
                await segment.OpenWriter(Guid.NewGuid()).AppendAsync(Sample.Batch(0, 40));
                segment.Seal(segment.Fence(1).Position);
            }

            using var again = SegmentLoader.Load(SegmentHost.ForOneFile(null) with { Views = new MapCache(0) }, path, writable: true);
            using var start = new Barrier(3);
            await Task.WhenAll(
                Task.Run(() =>
                {
                    start.SignalAndWait();
                    again.WriteFooter();
                }),
                Task.Run(() => Read(again, start)),
                Task.Run(() => Read(again, start)));
        }

        static void Read(Segment segment, Barrier start)
        {
            start.SignalAndWait();
            for (var i = 0; i < 40; i++)
            {
                Assert.True(segment.TryRead(i, out _));
                Assert.Equal(40, segment.Bounds!.Value.Events);
                Assert.Equal(40, segment.GetStats().Events);
            }
        }
    }

    private NodeStore WithSegments(int count)
    {
        var store = Open();
        for (var i = 0; i < count; i++)
        {
            store.Create(Sample.Header(Guid.NewGuid()));
        }

        return store;
    }

    private string ChainPath(Guid logId) => _directory.File($"logs/{logId:N}/chain");

    private NodeStore Open(string name = "node-1") => NodeStore.Open(_directory.Path, name);
}
