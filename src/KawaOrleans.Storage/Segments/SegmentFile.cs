using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Segments;

/// <summary>A segment's file: its path, and its handle while it is open for writing.</summary>
internal sealed class SegmentFile(SegmentHost host, string path, SegmentHeader header, IVolumeFile? writable) : IDisposable
{
    private IVolumeFile? _writable = writable;

    public string Path { get; } = path;

    public SegmentHeader Header { get; } = header;

    public SegmentHost Host { get; } = host;

    public bool IsWritable => _writable is not null;

    public IVolumeFile Writable => _writable ?? throw new WriterFencedException(Path);

    public long Length
    {
        get
        {
            if (_writable is { } open)
            {
                return open.Length;
            }

            using var file = Host.Volume.Open(Path, writable: false);
            return file.Length;
        }
    }

    public IFileMap Map()
    {
        if (_writable is { } open)
        {
            return open.Map();
        }

        try
        {
            using var file = Host.Volume.Open(Path, writable: false);
            return file.Map();
        }
        catch (IOException e) when (e is not StorageException)
        {
            throw new SegmentUnreadableException(Path, e);
        }
    }

    /// <summary>Writes behind the frames, lengthening the file if it must, and syncs.</summary>
    public void WriteBehindEnd(long offset, ReadOnlySpan<byte> bytes)
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
    }

    public void CloseWritable() => Interlocked.Exchange(ref _writable, null)?.Dispose();

    public void Dispose() => CloseWritable();
}
