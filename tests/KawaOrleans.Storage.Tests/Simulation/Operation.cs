namespace KawaOrleans.Storage.Tests.Simulation;

public enum OperationKind
{
    Create,
    Write,
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
    public override string ToString() => Kind switch
    {
        OperationKind.Write => $"write of {Bytes!.Length} bytes at {Offset} of {Path}",
        OperationKind.Note => $"note {Path}",
        _ => $"{Kind} {Path} {To}",
    };
}
