namespace KawaOrleans;

/// <summary>The event store as a whole: its logs and nodes. There is one, with key 0.</summary>
[GrainInterfaceType("kawa.event-store"), Alias("kawa.event-store")]
public interface IEventStoreGrain : IGrainWithIntegerKey
{
    /// <summary>All logs, by name.</summary>
    [Alias("ListLogs"), ResponseTimeout("00:00:05")]
    Task<IReadOnlyList<LogSummary>> ListLogs(CancellationToken cancellation = default);

    /// <summary>Every live node with what it holds and what it cannot trust.</summary>
    [Alias("DescribeNodes"), ResponseTimeout("00:00:10")]
    Task<IReadOnlyList<NodeDescription>> DescribeNodes(CancellationToken cancellation = default);

    /// <summary>After the chain store was lost: writes the catalogue of logs and every chain anew from what the nodes hold.
    /// See <see cref="ISegmentDirectoryGrain.Rebuild"/> for when it refuses.</summary>
    [Alias("Rebuild"), ResponseTimeout("00:01:00")]
    Task<IReadOnlyList<LogSummary>> Rebuild(IReadOnlyList<string> givenUpNodes, CancellationToken cancellation = default);

    /// <summary>Gives up a node whose data directory is lost for ever: that directory never takes part again, its name is free for a node with
    /// an empty directory. Repeatable; it cannot be undone.</summary>
    /// <exception cref="RequestRefusedException">No node of this name ever registered, or it is alive.</exception>
    [Alias("ReplaceNode"), ResponseTimeout("00:00:10")]
    Task ReplaceNode(string node, CancellationToken cancellation = default);
}

/// <summary>One live node.</summary>
[GenerateSerializer, Immutable, Alias("kawa.node-description")]
public sealed record NodeDescription
{
    /// <summary>The node's name.</summary>
    [Id(0)]
    public required string Name { get; init; }

    /// <summary>Its data directory's id.</summary>
    [Id(1)]
    public required Guid Id { get; init; }

    /// <summary>Replicas it holds, the untrusted ones included.</summary>
    [Id(2)]
    public required int Segments { get; init; }

    /// <summary>Free bytes on its volume.</summary>
    [Id(3)]
    public required long FreeBytes { get; init; }

    /// <summary>Files it cannot trust or does not know, a sentence each; empty when all is well.</summary>
    [Id(4)]
    public required IReadOnlyList<string> Problems { get; init; }
}
