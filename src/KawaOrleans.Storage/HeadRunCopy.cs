using KawaOrleans.Storage.Streams;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage;

/// <summary>A run of heads on its way from another node. Nothing uses it before it is complete and was verified.</summary>
public sealed class HeadRunCopy : IDisposable
{
    private readonly IVolume _volume;
    private readonly LogHeads _heads;
    private readonly string _path;
    private readonly string _unfinished;
    private readonly IVolumeFile _file;
    private bool _done;

    internal HeadRunCopy(IVolume volume, LogHeads heads, string path, long bytes)
    {
        (_volume, _heads, _path) = (volume, heads, path);

        // A name of its own: another copy of the same run may be on its way.
        _unfinished = $"{path}.{Guid.NewGuid():N}{HeadMerge.Unfinished}";
        _file = volume.Create(_unfinished, bytes, Preparation.Allocated);
    }

    /// <summary>Adds a part, at its place.</summary>
    public void Write(long offset, ReadOnlySpan<byte> part) => _file.Write(offset, part);

    /// <summary>Has it synced and verified; from then on it counts.</summary>
    /// <exception cref="SegmentDamagedException">It does not verify; nothing has changed.</exception>
    public void Complete()
    {
        _file.Sync();
        _file.Dispose();
        _heads.Adopt(_unfinished, _path);
        _done = true;
    }

    /// <summary>Gives up what is not complete.</summary>
    public void Dispose()
    {
        if (!_done)
        {
            _file.Dispose();
            _volume.Delete(_unfinished);
        }
    }
}
