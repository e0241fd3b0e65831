using KawaOrleans.Server.Protocol;

namespace KawaOrleans.Cluster.Tests.ChainStore;

/// <summary>What the rules need of a chain store, whatever keeps it.</summary>
public abstract class ChainRecordsContract
{
    private protected abstract Task<IChainRecords> Open();

    [SkippableFact]
    public async Task A_record_is_read_as_it_was_swapped_in()
    {
        var records = await Open();
        Assert.Null(await records.ReadChain("orders", default));
        var chain = Protocol.ChainExamples.Three();
        var written = await records.SwapChain("orders", null, chain, default);
        var read = await records.ReadChain("orders", default);
        Assert.True(ChainRules.Agree(chain, read!.Value));
        Assert.Equal((chain.Options, chain.LogName, written!.Tag), (read.Value.Options, read.Value.LogName, read.Tag));
    }

    [SkippableFact]
    public async Task Only_the_swap_that_expects_what_is_there_wins()
    {
        var records = await Open();
        var chain = New("orders");
        var first = await records.SwapChain("orders", null, chain, default);
        Assert.Null(await records.SwapChain("orders", null, chain, default));
        var second = await records.SwapChain("orders", first, chain with { Version = 2 }, default);
        Assert.Null(await records.SwapChain("orders", first, chain with { Version = 3 }, default));
        Assert.Equal(2, (await records.ReadChain("orders", default))!.Value.Version);
        Assert.NotNull(await records.SwapChain("orders", second, chain with { Version = 3 }, default));
    }

    [SkippableFact]
    public async Task A_removed_record_is_gone_and_nobody_that_saw_it_can_swap_what_comes_after()
    {
        var records = await Open();
        var first = await records.SwapChain("orders", null, New("orders"), default);
        var second = await records.SwapChain("orders", first, New("orders") with { Version = 2 }, default);
        Assert.False(await records.RemoveChain("orders", first!, default));
        Assert.True(await records.RemoveChain("orders", second!, default));
        Assert.Null(await records.ReadChain("orders", default));
        Assert.False(await records.RemoveChain("orders", second!, default));
        Assert.Null(await records.SwapChain("orders", second, New("orders"), default));

        var again = await records.SwapChain("orders", null, New("orders"), default);
        Assert.NotNull(again);
        Assert.Null(await records.SwapChain("orders", first, New("orders"), default));
        Assert.False(await records.RemoveChain("orders", second!, default));
        Assert.True(await records.RemoveChain("orders", again, default));
    }

    [SkippableFact]
    public async Task The_catalogue_is_one_record()
    {
        var records = await Open();
        var id = Guid.NewGuid();
        var catalogue = new Catalogue
        {
            Cookie = Guid.NewGuid(), Logs = new Dictionary<string, Guid> { ["orders"] = id }, Deleted = [Guid.NewGuid()], Creating = [id],
        };
        var first = await records.SwapCatalogue(null, catalogue, default);
        Assert.Null(await records.SwapCatalogue(null, catalogue, default));
        var read = (await records.ReadCatalogue(default))!;
        Assert.Equal((catalogue.Cookie, id, first!.Tag), (read.Value.Cookie, read.Value.Logs["orders"], read.Tag));
        Assert.Equal((catalogue.Deleted[0], catalogue.Creating[0]), (read.Value.Deleted[0], read.Value.Creating[0]));
        Assert.NotNull(await records.SwapCatalogue(read, catalogue with { Deleted = [] }, default));
    }

    [SkippableFact]
    public async Task Of_many_swaps_at_once_one_wins()
    {
        var records = await Open();
        var record = (await records.SwapChain("orders", null, New("orders"), default))!;
        for (var round = 0; round < 10; round++)
        {
            var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => records.SwapChain(
                "orders", record, record.Value with { Version = record.Value.Version + 1, Epoch = i }, default)));
            record = Assert.Single(outcomes, outcome => outcome is not null)!;
            Assert.Equal(record.Value.Epoch, (await records.ReadChain("orders", default))!.Value.Epoch);
        }
    }

    [SkippableFact]
    public async Task Of_many_first_swaps_at_once_one_wins()
    {
        var records = await Open();
        for (var round = 0; round < 20; round++)
        {
            var log = $"log-{round}";
            var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => First(records, log)));
            var won = Assert.Single(outcomes, static outcome => outcome is not null)!;
            var read = (await records.ReadChain(log, default))!;
            Assert.Equal((won.Tag, won.Value.LogId), (read.Tag, read.Value.LogId));
        }
    }

    /// <summary>A store may also answer a lost race as if it were away: what counts is that it is lost.</summary>
    private static async Task<Versioned<Chain>?> First(IChainRecords records, string log)
    {
        try
        {
            return await records.SwapChain(log, null, New(log), default);
        }
        catch (ChainStoreException away) when (away.Problem == ChainStoreProblem.Away)
        {
            return null;
        }
    }

    private static Chain New(string log) => ChainRules.New(Guid.NewGuid(), log, new LogOptions());
}
