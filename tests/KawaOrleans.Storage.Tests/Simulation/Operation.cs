namespace KawaOrleans.Storage.Tests.Simulation;

public enum OperationKind
{
    Create,
    Write,

    /// <summary>Stores into a map, told when they were done. It cannot fail, and a death in the middle leaves some of its words.</summary>
    Store,
    SetLength,
    Sync,
    Rename,
    Delete,
    SyncDirectory,
    CreateDirectory,

    /// <summary>Not asked of the disk: the test learnt something here, say an acknowledgement.</summary>
    Note,

    /// <summary>Changes nothing, so it is never recorded; a fault can be injected into it.</summary>
    Read,
    Open,
}

/// <summary>What the engine asked of the volume.</summary>
internal sealed record Operation(OperationKind Kind, string Path, int File = 0, int Offset = 0, byte[]? Bytes = null, string To = "", int Length = 0)
{
    /// <summary>Of a store: what lay there for a moment, before the writer's own fields were filled in; null when nothing else did.</summary>
    public byte[]? Unstamped { get; init; }

    public override string ToString() => Kind switch
    {
        OperationKind.Write or OperationKind.Store => $"{Kind} of {Bytes!.Length} bytes at {Offset} of {Path}",
        OperationKind.Note => $"note {Path}",
        _ => $"{Kind} {Path} {To}",
    };
}
