using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using KawaOrleans.Server.Protocol;

namespace KawaOrleans.Server.ChainStore;

/// <summary>One record in its file: magic (8), tag (16), content, checksum over all that and the record's name (8). It is never
/// written in place: a new file takes the old one's name.</summary>
internal sealed record RecordFile(Guid Tag, byte[] Content)
{
    private const int TagAt = 8;
    private const int ContentAt = 24;
    private const int ChecksumBytes = 8;

    private static ReadOnlySpan<byte> Magic => "kawarec1"u8;

    /// <summary>The record, or null when there is no file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">The record's name: one record's file under another's name does not verify.</param>
    /// <exception cref="ChainStoreException">There is a file, and it does not verify.</exception>
    public static RecordFile? Read(string path, string name)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        return Decode(bytes, path, name);
    }

    /// <summary>The record in these bytes.</summary>
    /// <exception cref="ChainStoreException">They do not verify.</exception>
    public static RecordFile Decode(byte[] bytes, string path, string name)
    {
        if (bytes.Length < ContentAt + ChecksumBytes || !bytes.AsSpan(0, TagAt).SequenceEqual(Magic)
            || BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(^ChecksumBytes)) != Checksum(bytes.AsSpan(..^ChecksumBytes), name))
        {
            throw new ChainStoreException(
                ChainStoreProblem.Lost,
                $"The chain store's file '{path}' is damaged ({bytes.Length} bytes do not verify). Restore it from a copy, or move it away and "
                + $"write it anew from what the nodes hold: {RebuildCommand.ForAll}");
        }

        return new RecordFile(new Guid(bytes.AsSpan(TagAt, ContentAt - TagAt), bigEndian: true), bytes[ContentAt..^ChecksumBytes]);
    }

    /// <summary>Replaces the record: on disk, under its name, when this returns. After an exception the outcome is unknown.</summary>
    public void Write(string path, string name)
    {
        var bytes = new byte[ContentAt + Content.Length + ChecksumBytes];
        Magic.CopyTo(bytes);
        Tag.TryWriteBytes(bytes.AsSpan(TagAt), bigEndian: true, out _);
        Content.CopyTo(bytes, ContentAt);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(^ChecksumBytes), Checksum(bytes.AsSpan(..^ChecksumBytes), name));

        var temporary = TemporaryOf(path);
        using (var file = File.OpenHandle(temporary, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(file, bytes, 0);
            RandomAccess.FlushToDisk(file);
        }

        File.Move(temporary, path, overwrite: true);
        DirectorySync.Sync(Path.GetDirectoryName(path)!);
    }

    /// <summary>Removes the record; on disk when this returns.</summary>
    public static void Remove(string path)
    {
        File.Delete(path);
        DirectorySync.Sync(Path.GetDirectoryName(path)!);
    }

    /// <summary>Where the next content is written before it takes the record's name: no record's name ends so.</summary>
    public static string TemporaryOf(string path) => path + "~";

    private static ulong Checksum(ReadOnlySpan<byte> bytes, string name)
    {
        var hash = new XxHash3();
        hash.Append(Encoding.UTF8.GetBytes(name));
        hash.Append(bytes);
        return hash.GetCurrentHashAsUInt64();
    }
}
