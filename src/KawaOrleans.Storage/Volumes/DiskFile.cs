using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace KawaOrleans.Storage.Volumes;

/// <summary>A file of the local file system.</summary>
internal sealed class DiskFile(string path, SafeFileHandle handle) : IVolumeFile
{
    public string Path { get; } = path;

    public long Length => RandomAccess.GetLength(handle);

    public int Read(long offset, Span<byte> buffer)
    {
        var total = 0;
        while (total < buffer.Length)
        {
            var read = RandomAccess.Read(handle, buffer[total..], offset + total);
            if (read == 0)
            {
                break;
            }

            total += read;
        }

        return total;
    }

    public void Write(long offset, ReadOnlySpan<byte> bytes) => RandomAccess.Write(handle, bytes, offset);

    public void Sync() => PosixSync.Data(handle);

    public void Drain(long offset, long length) => PosixSync.Drain(handle, offset, length);

    public void SetLength(long bytes)
    {
        var zeroes = new byte[4096];
        try
        {
            for (var offset = Length; offset < bytes; offset += zeroes.Length)
            {
                Write(offset, zeroes.AsSpan(0, (int)Math.Min(zeroes.Length, bytes - offset)));
            }
        }
        catch (IOException e) when (IoErrors.IsDiskFull(e))
        {
            throw new DiskFullException(Path, bytes, e);
        }
    }

    public IFileMap Map() => new MappedFile(handle, Length, MemoryMappedFileAccess.Read);

    public IWritableMap MapWritable() => new MappedFile(handle, Length, MemoryMappedFileAccess.ReadWrite);

    public void Dispose() => handle.Dispose();
}
