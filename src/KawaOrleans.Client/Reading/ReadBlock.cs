using KawaOrleans.Client;

namespace KawaOrleans;

/// <summary>Consecutive events as they lie on disk and came over the wire; <c>foreach</c> gives them in position order, each verified
/// before it is given out and decoded only where it is asked.</summary>
/// <remarks>The bytes lie in pooled memory. Dispose the block when done with it and its memory is used for the blocks to come; a block that
/// is kept or forgotten stays valid and is collected like any object. Nothing of a block, the events in it included, may be looked at
/// after it was disposed.</remarks>
public sealed class ReadBlock : IDisposable
{
    private readonly FrameBlock _frames;
    private bool _disposed;

    internal ReadBlock(FrameBlock frames, long from, long next)
    {
        _frames = frames;
        From = from;
        Next = next;
    }

    /// <summary>The first position that the block covers.</summary>
    public long From { get; }

    /// <summary>The position behind the last one it covers: where to go on.</summary>
    public long Next { get; }

    /// <summary>What the events take as stored, in bytes.</summary>
    /// <exception cref="ObjectDisposedException">The block was disposed.</exception>
    public int StoredBytes => Bytes.Length;

    /// <summary>Walks the events.</summary>
    /// <exception cref="ObjectDisposedException">The block was disposed.</exception>
    public EventReader GetEnumerator()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _frames.Read(From, Next);
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        _disposed = true;
        _frames.Bytes.Dispose();
    }

    internal ReadOnlyMemory<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _frames.Bytes.Bytes;
        }
    }

    internal FrameCursor Begin() => new(_frames, From, Next);
}
