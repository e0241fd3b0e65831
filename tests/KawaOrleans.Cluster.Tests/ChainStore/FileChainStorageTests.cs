using KawaOrleans.Server.ChainStore;
using KawaOrleans.Server.Protocol;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;

namespace KawaOrleans.Cluster.Tests.ChainStore;

[Collection(RunsAlone.Name)]
public sealed class FileChainStorageTests : ChainRecordsContract, IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FileChainStorage _storage;

    public FileChainStorageTests() => _storage = new FileChainStorage(Path.Combine(_directory.FullName, "chains"), TimeProvider.System);

    private string RecordPath => Path.Combine(_directory.FullName, "chains", "kawa-chain", "orders.chain");

    public void Dispose()
    {
        _storage.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Two_processes_do_10000_swaps_and_none_is_lost()
    {
        const int Swaps = 5000;
        var records = await Open();
        var record = await records.SwapChain("orders", null, ChainRules.New(Guid.NewGuid(), "orders", new LogOptions()), default);
        var directory = Path.Combine(_directory.FullName, "chains");
        using var first = Swapper.Start("file", directory, "orders", Swaps);
        using var second = Swapper.Start("file", directory, "orders", Swaps);
        await Swapper.EndAsync(first);
        await Swapper.EndAsync(second);

        Assert.Equal(record!.Value.Version + (2 * Swaps), (await records.ReadChain("orders", default))!.Value.Version);
    }

    [Fact]
    public async Task A_crash_between_writing_and_renaming_leaves_the_old_record()
    {
        var records = await Open();
        var record = await records.SwapChain("orders", null, ChainRules.New(Guid.NewGuid(), "orders", new LogOptions()), default);
        await File.WriteAllBytesAsync(RecordFile.TemporaryOf(RecordPath), [1, 2, 3]);
        await File.WriteAllTextAsync(Path.Combine(_directory.FullName, "chains", "lock"), "w");
        Assert.Equal(record!.Tag, (await records.ReadChain("orders", default))!.Tag);
        Assert.Equal("-", await File.ReadAllTextAsync(Path.Combine(_directory.FullName, "chains", "lock")));
        Assert.NotNull(await records.SwapChain("orders", record, record.Value with { Version = 2 }, default));
        Assert.False(File.Exists(RecordFile.TemporaryOf(RecordPath)));
    }

    [Fact]
    public async Task Every_flipped_bit_and_every_cut_of_a_record_is_reported_and_never_taken_for_no_record()
    {
        var records = await Open();
        await records.SwapChain("orders", null, Protocol.ChainExamples.Three(), default);
        var bytes = await File.ReadAllBytesAsync(RecordPath);
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            var damaged = (byte[])bytes.Clone();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<ChainStoreException>(() => RecordFile.Decode(damaged, RecordPath, "kawa-chain/orders.chain"));
        }

        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Throws<ChainStoreException>(() => RecordFile.Decode(bytes[..length], RecordPath, "kawa-chain/orders.chain"));
        }

        Assert.NotNull(RecordFile.Decode(bytes, RecordPath, "kawa-chain/orders.chain"));
        await File.WriteAllBytesAsync(RecordPath, bytes[..^1]);

        var lost = await Assert.ThrowsAsync<ChainStoreException>(() => records.ReadChain("orders", default));
        Assert.Equal(ChainStoreProblem.Lost, lost.Problem);
        Assert.Contains(RecordPath, lost.Message, StringComparison.Ordinal);
        Assert.Contains("damaged", lost.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ChainStoreException>(() => records.SwapChain("orders", null, Protocol.ChainExamples.Three(), default));
    }

    [Fact]
    public async Task A_record_that_vanished_is_not_swapped()
    {
        var records = await Open();
        var record = await records.SwapChain("orders", null, Protocol.ChainExamples.Three(), default);
        File.Delete(RecordPath);
        Assert.Null(await records.SwapChain("orders", record, Protocol.ChainExamples.Three(), default));
        Assert.Null(await records.ReadChain("orders", default));
    }

    [Fact]
    public async Task One_logs_file_under_anothers_name_does_not_verify()
    {
        var records = await Open();
        await records.SwapChain("orders", null, Protocol.ChainExamples.Three(), default);
        File.Copy(RecordPath, RecordPath.Replace("orders", "bills", StringComparison.Ordinal));
        await Assert.ThrowsAsync<ChainStoreException>(() => records.ReadChain("bills", default));
    }

    [Fact]
    public async Task Names_that_begin_alike_are_different_records()
    {
        var records = await Open();
        string[] names = ["a", "a.chain", "a.chain.chain", "a-", "a_", "0", new string('x', 128)];
        foreach (var name in names)
        {
            Assert.NotNull(await records.SwapChain(name, null, ChainRules.New(Guid.NewGuid(), name, new LogOptions()), default));
        }

        foreach (var name in names)
        {
            Assert.Equal(name, (await records.ReadChain(name, default))!.Value.LogName);
        }
    }

    [Fact]
    public async Task A_store_that_another_process_keeps_locked_is_away_after_a_while()
    {
        var records = await Open();
        await records.ReadChain("orders", default);
        using var held = StoreLock.TryTake(Path.Combine(_directory.FullName, "chains", "lock"), out _);
        Assert.NotNull(held);
        Assert.Null(StoreLock.TryTake(Path.Combine(_directory.FullName, "chains", "lock"), out var whyNot));
        Assert.NotNull(whyNot);
        var away = await Assert.ThrowsAsync<ChainStoreException>(() => records.ReadChain("orders", default));
        Assert.Equal(ChainStoreProblem.Away, away.Problem);
    }

    [Fact]
    public async Task It_keeps_nothing_but_the_event_stores_own_records()
    {
        await Assert.ThrowsAsync<NotSupportedException>(
            () => _storage.ReadStateAsync("chain", GrainId.Create("kawa-chain", "orders"), new GrainState<string>()));
        foreach (var key in new[] { "../orders", "Orders", "a/b", ".", "" })
        {
            await Assert.ThrowsAnyAsync<Exception>(
                () => _storage.ReadStateAsync("chain", GrainId.Create("kawa-chain", key), new GrainState<ChainRecord>(new ChainRecord())));
        }
    }

    [Fact]
    public async Task Two_directories_at_once_roll_a_log_on_two_stores_over_one_directory()
    {
        using var other = new FileChainStorage(Path.Combine(_directory.FullName, "chains"), TimeProvider.System);
        var world = new Protocol.World(1);
        var node = new Protocol.FakeNode("node-a", Guid.NewGuid());
        ChainChanger[] both =
        [
            new(await Open(), new Protocol.FakeNodes(world, [node], () => false), Guid.NewGuid),
            new(new OrleansChainRecords(other, TimeProvider.System), new Protocol.FakeNodes(world, [node], () => false), Guid.NewGuid),
        ];
        node.Cookie = (await both[0].Join(default)).Cookie;
        Guid? after = null;
        for (var roll = 1; roll <= 30; roll++)
        {
            // The second call waits for nothing that the first does: whichever swap comes first wins.
            var asked = Task.WhenAll(both.Select(changer => changer.OpenWriteSegment("orders", after, 0, default)));
            var chains = await asked;
            Assert.Equal(chains[0].WriteSegment!.Id, chains[1].WriteSegment!.Id);
            Assert.NotNull(node.Append(chains[0].LogId, chains[0].WriteSegment!.Id, 1));
            Assert.Equal(roll, chains[0].Segments.Count);
            after = chains[0].WriteSegment!.Id;
        }
    }

    private protected override Task<IChainRecords> Open() => Task.FromResult<IChainRecords>(new OrleansChainRecords(_storage, TimeProvider.System));
}
