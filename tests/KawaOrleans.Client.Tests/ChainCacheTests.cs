namespace KawaOrleans.Client.Tests;

/// <summary>An answer that was on its way while a newer chain came to be known.</summary>
[Collection(OnVirtualTime.Name)]
public sealed class ChainCacheTests : IDisposable
{
    private readonly FakeStore _store = new();
    private readonly ChainCache _chains;

    public ChainCacheTests() => _chains = new ChainCache(new LogDirectory(
        "orders", _store.Truth, turn => _store.Cluster.DirectoryNearby("orders", turn), new AnswerWatch(TimeSpan.FromSeconds(3), _store.Time), _store.Time));

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task An_append_is_not_sent_to_a_segment_before_the_newest_known()
    {
        await _store.Fill(1);
        var opening = Late("OpenWriteSegment", () => _chains.GetOpenAsync(null, 0, TimeSpan.FromSeconds(3), default));
        var newer = await LearnOfTheNext();

        var chain = await opening;

        Assert.Equal(newer.WriteSegment!.Id, chain.WriteSegment!.Id);
    }

    [Fact]
    public async Task A_reader_is_not_given_an_older_chain_than_the_newest_known()
    {
        await _store.Fill(1);
        var loading = Late("GetChain", () => _chains.GetAsync(null, TimeSpan.FromSeconds(3), default));
        var newer = await LearnOfTheNext();

        Assert.Equal(newer.Version, (await loading).Version);
    }

    private Task<Chain> Late(string name, Func<Task<Chain>> call)
    {
        _store.Cluster.Mishaps = called => called == name ? Mishap.AnswerLate : Mishap.None;
        var answer = call();
        _store.Cluster.Mishaps = static _ => Mishap.None;
        return answer;
    }

    private async Task<Chain> LearnOfTheNext()
    {
        var open = (await _store.Truth.GetChain()).WriteSegment!.Id;
        var newer = await _store.Truth.OpenWriteSegment(open, 0);
        Assert.NotEqual(open, newer.WriteSegment!.Id);
        _chains.Keep(newer);
        return newer;
    }
}
