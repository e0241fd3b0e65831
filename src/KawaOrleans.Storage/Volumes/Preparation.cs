namespace KawaOrleans.Storage.Volumes;

/// <summary>How a new file's blocks are made ready. Either way a full disk is found then, and unwritten bytes read as zeroes.</summary>
internal enum Preparation
{
    /// <summary>Allocated only: what is written is written once, and its first sync changes the file system's own records.</summary>
    Allocated,

    /// <summary>Allocated and filled with zeroes: every later sync of a write in place is one of data alone.</summary>
    WrittenThrough,
}
