namespace KawaOrleans.Server.ChainStore;

/// <summary>The exclusive lock of the operating system on a directory that several processes share. It ends with its process.</summary>
internal sealed class StoreLock : IDisposable
{
    private const byte Writing = (byte)'w';
    private const byte Done = (byte)'-';

    private readonly FileStream _file;

    private StoreLock(FileStream file) => _file = file;

    /// <summary>Takes the lock, or null and why not: most often because another has it.</summary>
    public static StoreLock? TryTake(string path, out string? whyNot)
    {
        whyNot = null;
        try
        {
            return new StoreLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0));
        }
        catch (IOException e) when (e is not (FileNotFoundException or DirectoryNotFoundException or PathTooLongException))
        {
            whyNot = e.Message;
            return null;
        }
    }

    /// <summary>True when the last holder died, or failed, between a change and its sync: what it left may be read and yet not be
    /// on disk, so directories are synced before anything in them is trusted.</summary>
    public bool WasLeftWriting()
    {
        _file.Position = 0;
        return _file.ReadByte() == Writing;
    }

    /// <summary>Marks that a change begins. Needs no sync: after a power loss there is nothing left that is not on disk.</summary>
    public void BeginWriting() => Mark(Writing);

    /// <summary>Marks that everything changed is on disk.</summary>
    public void EndWriting() => Mark(Done);

    public void Dispose() => _file.Dispose();

    private void Mark(byte state)
    {
        _file.Position = 0;
        _file.WriteByte(state);
    }
}
