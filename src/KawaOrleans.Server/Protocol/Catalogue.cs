using MemoryPack;

namespace KawaOrleans.Server.Protocol;

/// <summary>Which logs there are. A log is listed before its chain is written and unlisted before that is removed, so every
/// chain has its line; a line without a chain is a creation that someone may finish.</summary>
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
}
