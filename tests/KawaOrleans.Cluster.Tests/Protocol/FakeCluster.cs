using KawaOrleans.Server.Protocol;

namespace KawaOrleans.Cluster.Tests.Protocol;

/// <summary>Nodes, a chain store, and as many changers as a test wants; everything goes through at once.</summary>
internal sealed class FakeCluster
{
    public FakeCluster(int nodes, int seed = 1)
    {
        World = new World(seed);
        Nodes = [.. Enumerable.Range(0, nodes).Select(i => new FakeNode($"node-{(char)('a' + i)}", World.NewId()))];
        First = NewChanger();
    }

    public World World { get; }

    public IReadOnlyList<FakeNode> Nodes { get; }

    public StoredRecords Stored { get; } = new();

    /// <summary>The calls that <see cref="First"/> made.</summary>
    public FakeNodes Asked { get; private set; } = null!;

    public ChainChanger First { get; }

    public ChainChanger NewChanger(Func<bool>? isDead = null)
    {
        var never = isDead ?? (() => false);
        var nodes = new FakeNodes(World, Nodes, never);
        Asked ??= nodes;
        return new ChainChanger(new FakeRecords(World, Stored, never), nodes, World.NewId);
    }

    public FakeNode Node(string name) => Nodes.Single(node => node.Name == name);

    public FakeNode Owner(Chain chain) => Node(chain.WriteSegment!.Primary);

    public FakeReplica Replica(ChainSegment segment) => Node(segment.Primary).Replicas[segment.Id];

    /// <summary>Every node joins, as at the start of its silo.</summary>
    public async Task Join()
    {
        var cookie = (await First.Join(default)).Cookie;
        foreach (var node in Nodes)
        {
            node.Cookie = cookie;
        }
    }

    public static async Task<FakeCluster> Joined(int nodes, int seed = 1)
    {
        var cluster = new FakeCluster(nodes, seed);
        await cluster.Join();
        return cluster;
    }

    /// <summary>A log of several replicas, of any kind, also those that no public call makes.</summary>
    public async Task CreateLog(string log, int replicas, int ackQuorum)
    {
        var chain = await First.CreateLog(log, new LogOptions(), default);
        Stored.Chains[log] = Stored.Tagged(chain with { Options = chain.Options with { Replicas = replicas, AckQuorum = ackQuorum } });
    }

    /// <summary>Opens a first segment, or rolls the one there is, and appends to it.</summary>
    public async Task<Chain> Rolled(string log, int events)
    {
        var before = Stored.Chains.GetValueOrDefault(log)?.Value.WriteSegment?.Id;
        var chain = await First.OpenWriteSegment(log, before, 0, default);
        if (events > 0)
        {
            Assert.NotNull(Owner(chain).Append(chain.LogId, chain.WriteSegment!.Id, events));
        }

        return chain;
    }
}
