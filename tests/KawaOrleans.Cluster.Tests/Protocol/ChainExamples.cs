namespace KawaOrleans.Cluster.Tests.Protocol;

/// <summary>Chains to decide about.</summary>
internal static class ChainExamples
{
    public static Guid Id(int number) => new(number, 0, 0, new byte[8]);

    public static ChainNode Node(string name) => new(name, Id(1000 + name.Sum(character => character)));

    public static ChainSegment Segment(int number, long start, long? end, long epoch, params string[] nodes) => new()
    {
        Id = Id(number), Generation = 0, Epoch = epoch, Base = start, End = end, FileBytes = 4 << 20, AckQuorum = nodes.Length > 2 ? 2 : 1,
        Ensemble = [.. (nodes.Length == 0 ? ["a"] : nodes).Select(Node)],
    };

    /// <summary>Sealed [0, 10) and [10, 25), open from 25, all on node a unless the last is elsewhere.</summary>
    public static Chain Three(params string[] lastNodes) => new()
    {
        LogId = Id(99), LogName = "orders", Version = 4, Options = new LogOptions(), Epoch = 3,
        Segments = [Segment(1, 0, 10, 1), Segment(2, 10, 25, 2), Segment(3, 25, null, 3, lastNodes)],
    };
}
