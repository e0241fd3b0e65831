using MemoryPack;

namespace KawaOrleans.Server.Protocol;

/// <summary>Which logs there are, and which nodes there are no more. A log is listed before its chain is written, as being created until that is known, and unlisted
/// before its chain is removed. So a line without a chain is a creation that someone may finish when it says so, and a lost
/// chain when it does not; a chain whose id is deleted is a deletion that someone may finish.</summary>
[GenerateSerializer, Immutable, MemoryPackable(GenerateType.VersionTolerant)]
internal sealed partial record Catalogue
{
    /// <summary>Made with the catalogue and kept by every node that joined: tells clusters apart.</summary>
    [Id(0), MemoryPackOrder(0)]
    public required Guid Cookie { get; init; }

    /// <summary>The logs, by name.</summary>
    [Id(1), MemoryPackOrder(1)]
    public required IReadOnlyDictionary<string, Guid> Logs { get; init; }

    /// <summary>Ids of deleted logs: files of these may be set aside. 16 bytes each, kept for ever.</summary>
    [Id(2), MemoryPackOrder(2)]
    public required IReadOnlyList<Guid> Deleted { get; init; }

    /// <summary>Ids of listed logs whose chain is not known to be written. None of them ever had a segment: the first one is
    /// opened only after its log left this list.</summary>
    [Id(3), MemoryPackOrder(3)]
    public IReadOnlyList<Guid> Creating { get; init; } = [];

    /// <summary>Data directories that the operator said are lost for ever: no node with one of them may vote again.</summary>
    [Id(4), MemoryPackOrder(4)]
    public IReadOnlyList<ChainNode> GivenUp { get; init; } = [];

    /// <summary>Whether the operator gave this data directory up.</summary>
    public bool IsGivenUp(Guid nodeId) => GivenUp.Any(node => node.Id == nodeId);
}
