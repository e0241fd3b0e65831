using System.Collections.Concurrent;

namespace KawaOrleans.Server.Protocol;

/// <summary>Tells nodes a chain after it was swapped in. A node that does not hear it learns it later, by asking; only the
/// primary of the open segment must know it before clients are sent there.</summary>
internal sealed class Announcement(INodes nodes)
{
    // The newest version that the primary answered for, by log: what need not be told again.
    private readonly ConcurrentDictionary<Guid, long> _told = new();

    /// <summary>Tells the primary of the open segment and, without caring for their answers, the other nodes. Answers with the
    /// version that the primary now has.</summary>
    public async Task<NodeAnswer<long>> ToWriter(Chain chain, IEnumerable<ChainNode> others, CancellationToken cancellation)
    {
        var primary = chain.WriteSegment!.Primary;
        var rest = others.Select(node => node.Name).Where(node => node != primary).Distinct(StringComparer.Ordinal);
        var telling = rest.Select(node => nodes.Announce(node, chain, cancellation)).ToList();
        var known = _told.GetValueOrDefault(chain.LogId);
        var answer = known >= chain.Version ? new NodeAnswer<long>(known, null) : await nodes.Announce(primary, chain, cancellation);
        await Task.WhenAll(telling);
        if (answer is { IsKnown: true, Value: var version } && version < chain.Version)
        {
            return new NodeAnswer<long>(0, $"it keeps chain version {version} although it was told {chain.Version}");
        }

        if (answer.IsKnown)
        {
            _told.AddOrUpdate(chain.LogId, answer.Value, (_, before) => Math.Max(before, answer.Value));
        }

        return answer;
    }

    /// <summary>Tells these nodes.</summary>
    public Task To(Chain chain, IEnumerable<ChainNode> told, CancellationToken cancellation) =>
        Task.WhenAll(told.Select(node => nodes.Announce(node.Name, chain, cancellation)));

    /// <summary>Tells every node that the chain names, and those given.</summary>
    public Task ToAll(Chain chain, IEnumerable<ChainNode> others, CancellationToken cancellation) => Task.WhenAll(
        chain.Segments.SelectMany(segment => segment.Ensemble).Concat(others)
            .Select(node => node.Name).Distinct(StringComparer.Ordinal)
            .Select(node => nodes.Announce(node, chain, cancellation)));
}
