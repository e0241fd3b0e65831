using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Segments;

/// <summary>A segment's file: its path, and its handle while it is open for writing.</summary>
/// <remarks>Handles are opened and used one at a time, under the gate: a writable one shares the file with no other, and a
/// reader that looks for one must not meet its closing.</remarks>
internal sealed class SegmentFile(SegmentHost host, string path, SegmentHeader header, IVolumeFile? writable) : IDisposable
{
    private const long NotKnown = -1;

    private readonly Lock _gate = new();
    private IVolumeFile? _writable = writable;
    private long _length = NotKnown;

    public string Path { get; } = path;

    public SegmentHeader Header { get; } = header;

    public SegmentHost Host { get; } = host;

    public bool IsWritable => _writable is not null;

    public IVolumeFile Writable => _writable ?? throw new WriterFencedException(Path);

    /// <summary>Once known only what is written behind the end changes it: whoever asks does not wait for the disk.</summary>
    public long Length
    {
        get
        {
            if (Volatile.Read(ref _length) is var known and not NotKnown)
            {
                return known;
            }

            lock (_gate)
            {
                using var opened = _writable is null ? OpenForReading() : null;
                _length = (_writable ?? opened!).Length;
                return _length;
            }
        }
    }

    public IFileMap Map()
    {
        lock (_gate)
        {
            using var opened = _writable is null ? OpenForReading() : null;
            return (_writable ?? opened!).Map();
        }
    }

    /// <summary>Writes behind the frames of a segment whose sealing is on disk, lengthening the file if it must, and syncs. In a file that
    /// is not sealed what is written here would be damage.</summary>
    public void WriteBehindEnd(long offset, ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            using var opened = _writable is null ? Host.Volume.Open(Path, writable: true) : null;
            var file = _writable ?? opened!;

            var needed = offset + bytes.Length;
            if (needed > file.Length)
            {
                file.SetLength((needed + FileLayout.PageBytes - 1) / FileLayout.PageBytes * FileLayout.PageBytes);
            }

            file.Write(offset, bytes);
            file.Sync();
            Volatile.Write(ref _length, file.Length);
        }
    }

    public void CloseWritable()
    {
        lock (_gate)
        {
            _writable?.Dispose();
            _writable = null;
        }
    }

    public void Dispose() => CloseWritable();

    private IVolumeFile OpenForReading()
    {
        try
        {
            return Host.Volume.Open(Path, writable: false);
        }
        catch (Exception e) when (e is IOException and not StorageException or UnauthorizedAccessException)
        {
            throw new SegmentUnreadableException(Path, e);
        }
    }
}
