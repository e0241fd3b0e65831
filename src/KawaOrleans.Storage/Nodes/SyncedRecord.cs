using System.Buffers.Binary;
using System.IO.Hashing;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Nodes;

/// <summary>A small file replaced as a whole: temporary file, sync, rename, sync of the directory; a hash in front.</summary>
internal static class SyncedRecord
{
    private const int HashBytes = 8;
    private const string Unfinished = ".new";

    public static void Write(IVolume volume, string path, ReadOnlySpan<byte> content)
    {
        var bytes = new byte[HashBytes + content.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, XxHash3.HashToUInt64(content));
        content.CopyTo(bytes.AsSpan(HashBytes));
        volume.Delete(path + Unfinished);
        using (var file = volume.Create(path + Unfinished, bytes.Length, Preparation.Allocated))
        {
            file.Write(0, bytes);
            file.Sync();
        }

        volume.Rename(path + Unfinished, path);
        volume.SyncDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>The content, or null when there is no such file.</summary>
    /// <exception cref="SegmentDamagedException">The content is not what was written.</exception>
    public static byte[]? Read(IVolume volume, string path)
    {
        if (!volume.Exists(path))
        {
            return null;
        }

        using var file = volume.Open(path, writable: false);
        var bytes = new byte[file.Length];
        var read = file.Read(0, bytes);
        if (read < HashBytes || XxHash3.HashToUInt64(bytes.AsSpan(HashBytes..read)) != BinaryPrimitives.ReadUInt64LittleEndian(bytes))
        {
            throw new SegmentDamagedException(path, 0, "the record does not verify");
        }

        return bytes[HashBytes..read];
    }
}
