using MemoryPack;

namespace KawaOrleans;

/// <summary>One segment as the chain lists it: positions [<see cref="Base"/>, <see cref="End"/>).</summary>
[GenerateSerializer, Immutable, Alias("kawa.chain-segment"), MemoryPackable(GenerateType.VersionTolerant)]
public sealed partial record ChainSegment
{
    /// <summary>The segment's id.</summary>
    [Id(0), MemoryPackOrder(0)]
    public required Guid Id { get; init; }

    /// <summary>The generation of its content: 0 as appended.</summary>
    [Id(1), MemoryPackOrder(1)]
    public required int Generation { get; init; }

    /// <summary>The fencing number it was appended under.</summary>
    [Id(2), MemoryPackOrder(2)]
    public required long Epoch { get; init; }

    /// <summary>Its first position.</summary>
    [Id(3), MemoryPackOrder(3)]
    public required long Base { get; init; }

    /// <summary>The position behind its last, or null while it is open.</summary>
    [Id(4), MemoryPackOrder(4)]
    public required long? End { get; init; }

    /// <summary>The nodes that hold a replica (the ensemble); the first is the primary.</summary>
    [Id(5), MemoryPackOrder(5)]
    public required IReadOnlyList<ChainNode> Ensemble { get; init; }

    /// <summary>How many of the ensemble must have synced an event before it is acknowledged (A).</summary>
    [Id(6), MemoryPackOrder(6)]
    public required int AckQuorum { get; init; }

    /// <summary>The size its file was made with, in bytes.</summary>
    [Id(7), MemoryPackOrder(7)]
    public required long FileBytes { get; init; }

    /// <summary>True for the segment that takes appends.</summary>
    [MemoryPackIgnore]
    public bool IsOpen => End is null;

    /// <summary>The node to append to and read from first.</summary>
    [MemoryPackIgnore]
    public string Primary => Ensemble[0].Name;
}

/// <summary>A node as the chain names it.</summary>
/// <param name="Name">The silo's name, kept in its data directory.</param>
/// <param name="Id">The data directory's id.</param>
[GenerateSerializer, Immutable, Alias("kawa.chain-node"), MemoryPackable(GenerateType.VersionTolerant)]
public sealed partial record ChainNode(
    [property: Id(0), MemoryPackOrder(0)] string Name,
    [property: Id(1), MemoryPackOrder(1)] Guid Id);
