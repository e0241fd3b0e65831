namespace KawaOrleans.Storage.Segments;

/// <summary>Where things lie in a segment file (docs/FORMAT.md).</summary>
internal static class FileLayout
{
    public const int SectorBytes = 512;
    public const long Header = 0;
    public const long Opened = 512;
    public const long Fenced = 1024;
    public const long Sealed = 1536;
    public const int HeaderPageBytes = 4096;
    public const long HintA = 4096;
    public const long HintB = 6144;
    public const long FirstFrame = 8192;
    public const int PageBytes = 4096;

    /// <summary>W: the largest write group. A batch fits in one, and the file cannot hold a larger one.</summary>
    public static int MaxGroupBytes(long fileBytes) => (int)Math.Min(Limits.MaxBatchBytes + MaxCheckpointBytes, fileBytes - FirstFrame);

    /// <summary>A checkpoint lists at most the frames of its interval plus one group: of 72 bytes each at the least, and no more than
    /// 18 bytes for one that begins a stream.</summary>
    public const int MaxCheckpointBytes = 4 * 1024 * 1024;

    /// <summary>Frames between two checkpoints: at most so much and one group is read, written again and synced after a crash.</summary>
    public const long CheckpointIntervalBytes = 4L * 1024 * 1024;
}
