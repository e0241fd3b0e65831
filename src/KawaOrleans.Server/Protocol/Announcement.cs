using System.Collections.Concurrent;

namespace KawaOrleans.Server.Protocol;

/// <summary>Tells nodes a chain after it was swapped in. A node that does not hear it learns it later, by asking; only the
/// primary of the open segment must know it before clients are sent there.</summary>
internal sealed class Announcement(INodes nodes)
{
    // The newest version that a node answered for, by log: what need not be told again.
    private readonly ConcurrentDictionary<(Guid LogId, string Node), long> _told = new();

    /// <summary>Tells the primary of the open segment and, without waiting for their answers, the other nodes. Answers with the
    /// version that the primary now has.</summary>
    public async Task<NodeAnswer<long>> ToWriter(Chain chain, IEnumerable<ChainNode> others, CancellationToken cancellation)
    {
        var primary = chain.WriteSegment!.Primary;
        var answer = Tell(primary, chain, cancellation);
        foreach (var node in others.Select(node => node.Name).Where(node => node != primary).Distinct(StringComparer.Ordinal))
        {
            _ = Tell(node, chain, cancellation);
        }

        return await answer is { IsKnown: true, Value: var version } && version < chain.Version
            ? new NodeAnswer<long>(0, $"it keeps chain version {version} although it was told {chain.Version}")
            : await answer;
    }

    /// <summary>Tells these nodes.</summary>
    public Task To(Chain chain, IEnumerable<ChainNode> told, CancellationToken cancellation) =>
        Task.WhenAll(told.Select(node => nodes.Announce(node.Name, chain, cancellation)));

    /// <summary>Tells every node that the chain names, and those given.</summary>
    public Task ToAll(Chain chain, IEnumerable<ChainNode> others, CancellationToken cancellation) => Task.WhenAll(
        chain.Segments.SelectMany(segment => segment.Ensemble).Concat(others)
            .Select(node => node.Name).Distinct(StringComparer.Ordinal)
            .Select(node => nodes.Announce(node, chain, cancellation)));

    private async Task<NodeAnswer<long>> Tell(string node, Chain chain, CancellationToken cancellation)
    {
        var key = (chain.LogId, node);
        if (_told.TryGetValue(key, out var known) && known >= chain.Version)
        {
            return new NodeAnswer<long>(known, null);
        }

        var answer = await nodes.Announce(node, chain, cancellation);
        if (answer.IsKnown)
        {
            _told.AddOrUpdate(key, answer.Value, (_, before) => Math.Max(before, answer.Value));
        }

        return answer;
    }
}
