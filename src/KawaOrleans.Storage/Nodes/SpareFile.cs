using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Nodes;

/// <summary>One file made ahead: allocated, marked as spare and synced under its name. One for the durable tail is then written through with zeroes, a
/// step at a time, until all of it is or somebody takes it. What is missing then costs its syncs some time and nothing else.</summary>
/// <remarks>What must stay true: once <see cref="Release"/> has returned nothing is written here, so no zero falls on a header or on an event.</remarks>
internal sealed class SpareFile
{
    // A sync of another file waits behind what the disk was given before it: a step must not take longer than a sync or two.
    private const int StepBytes = 256 * 1024;

    // What a file begins with that nobody made ahead: about ten milliseconds, and enough for a log that has just begun.
    private const long AtOnceBytes = 8 * 1024 * 1024;
    private static readonly byte[] Zeroes = new byte[StepBytes];

    private readonly Lock _gate = new();
    private readonly IVolume _volume;
    private readonly Preparation _preparation;
    private IVolumeFile? _file;
    private long _written = FileLayout.HeaderPageBytes;
    private volatile bool _released;

    /// <summary>Makes it.</summary>
    /// <exception cref="DiskFullException">No room; nothing is left behind.</exception>
    public SpareFile(IVolume volume, string unfinished, string path, long bytes, Preparation preparation)
    {
        (_volume, Path, Bytes, _preparation) = (volume, path, bytes, preparation);
        _released = preparation == Preparation.Allocated;
        using (var file = volume.Create(unfinished, bytes, Preparation.Allocated))
        {
            file.Write(FileLayout.Header, SpareSector.Encode(bytes));
            file.Sync();
        }

        volume.Rename(unfinished, path);
        volume.SyncDirectory(System.IO.Path.GetDirectoryName(path)!);
    }

    public string Path { get; }

    public long Bytes { get; }

    /// <summary>How much of it is written through, 0 to 1; 1 too if nothing more will be.</summary>
    public double Ready => _released ? 1 : (double)Interlocked.Read(ref _written) / Bytes;

    public bool Suits(long bytes, Preparation preparation) => bytes == Bytes && preparation == _preparation;

    /// <summary>Writes the next zeroes through; false once there is nothing left to do here.</summary>
    /// <exception cref="IOException">The disk refuses; it is closed.</exception>
    public bool WriteStep()
    {
        lock (_gate)
        {
            if (_released)
            {
                return false;
            }

            try
            {
                _file ??= _volume.Open(Path, writable: true);
                var step = (int)Math.Min(StepBytes, Bytes - _written);
                _file.Write(_written, Zeroes.AsSpan(0, step));
                _file.Drain(_written, step);
                Interlocked.Add(ref _written, step);
                if (_written == Bytes)
                {
                    // What the zeroes changed in the file system's records, or the claim's sync would have to write that.
                    _file.Sync();
                    Release();
                }
            }
            catch
            {
                Release();
                throw;
            }

            return !_released;
        }
    }

    /// <summary>For whoever waits for it now: writes its beginning through.</summary>
    public void WriteBeginning()
    {
        while (WriteStep() && _written < AtOnceBytes)
        {
        }
    }

    /// <summary>From here on this does not touch the file.</summary>
    public void Release()
    {
        // Before the lock, which whoever writes steps may take again and again ahead of this: he ends with the step at hand.
        _released = true;
        lock (_gate)
        {
            _file?.Dispose();
            _file = null;
        }
    }
}
