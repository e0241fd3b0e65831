using System.Buffers;
using KawaOrleans.Format;
using Orleans.Serialization;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.Serializers;
using Orleans.Serialization.WireProtocol;

namespace KawaOrleans;

/// <summary>Bytes in a message, written in one piece and without a copy of their own: straight from the memory given.
/// That memory must not change before the message has left. A large block that arrived lies in pooled memory: whoever it arrives at
/// may dispose it once nothing looks at its bytes any more; one that is not disposed is collected like any other object. One that arrived
/// and is sent on, as a gateway does, is disposed when it is written: it can be sent on once.</summary>
/// <remarks>The framework encodes <see cref="ReadOnlyMemory{T}"/> element by element, some thirty times slower.</remarks>
[Immutable, Alias("kawa.block")]
public sealed class Block : IDisposable
{
    // Below this an array costs less than the pool; above it arrays soon go to the large object heap, which is cleared when an array is
    // made and collected only with everything else.
    private const int LeastPooledBytes = 16 * 1024;

    private readonly ReadOnlyMemory<byte>[]? _pieces;
    private ReadOnlyMemory<byte> _bytes;
    private byte[]? _pooled;
    private bool _disposed;

    /// <summary>A block that will be written from this memory.</summary>
    public Block(ReadOnlyMemory<byte> bytes)
    {
        _bytes = bytes;
        Length = bytes.Length;
    }

    private Block(ReadOnlyMemory<byte>[] pieces, int length)
    {
        _pieces = pieces;
        Length = length;
    }

    private Block(byte[] pooled, int length)
    {
        _pooled = pooled;
        _bytes = pooled.AsMemory(0, length);
        Length = length;
    }

    /// <summary>How many bytes.</summary>
    public int Length { get; }

    /// <summary>The bytes.</summary>
    /// <exception cref="ObjectDisposedException">The block was disposed.</exception>
    public ReadOnlyMemory<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_pieces is not null && _bytes.IsEmpty)
            {
                // Only for a receiver in the sender's own process: a message is written piece by piece.
                _bytes = Joined(_pieces, Length);
            }

            return _bytes;
        }
    }

    /// <summary>A batch, ready to be appended.</summary>
    public static Block Of(EventBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return new Block(batch.Bytes);
    }

    /// <summary>Several batches, ready to be appended by one call, in this order and each all or nothing for itself.</summary>
    /// <exception cref="BatchRefusedException">No batches, or too many bytes together.</exception>
    public static Block Of(IReadOnlyList<EventBatch> batches)
    {
        ArgumentNullException.ThrowIfNull(batches);
        var pieces = new ReadOnlyMemory<byte>[batches.Count];
        var bytes = 0L;
        for (var i = 0; i < pieces.Length; i++)
        {
            pieces[i] = batches[i].Bytes;
            bytes += pieces[i].Length;
        }

        return bytes is > 0 and <= Limits.MaxBatchBytes
            ? new Block(pieces, (int)bytes)
            : throw new BatchRefusedException(
                $"The batches of one call take 1 to {Limits.MaxBatchBytes} bytes as stored together; these {pieces.Length} take {bytes}. Make several calls.");
    }

    /// <summary>Pieces one behind another, each written from where it is.</summary>
    internal static Block Of(ReadOnlyMemory<byte>[] pieces) => new(pieces, pieces.Sum(static piece => piece.Length));

    /// <summary>Gives pooled memory back. Nothing may look at <see cref="Bytes"/>, or at an event in them, from here on.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _pooled, null) is { } pooled)
        {
            _disposed = true;
            PooledBytes.Return(pooled);
        }
    }

    internal static Block Read<TInput>(ref Reader<TInput> reader, uint length)
    {
        if (length < LeastPooledBytes)
        {
            return new Block(reader.ReadBytes(length));
        }

        // A length that the message does not have must not reserve memory.
        reader.EnsureAvailable(length);
        var pooled = PooledBytes.Rent((int)length);
        reader.ReadBytes(pooled.AsSpan(0, (int)length));
        return new Block(pooled, (int)length);
    }

    internal void Write<TBufferWriter>(ref Writer<TBufferWriter> writer)
        where TBufferWriter : IBufferWriter<byte>
    {
        if (_disposed)
        {
            // The framework sends a message again when the connection broke that it was written to. The way failed, whatever came through.
            throw new IOException("A block that arrived was to be sent on a second time, and its memory was given back after the first.");
        }

        if (_pieces is null)
        {
            writer.Write(_bytes.Span);
            Dispose();
            return;
        }

        foreach (var piece in _pieces)
        {
            writer.Write(piece.Span);
        }
    }

    private static byte[] Joined(ReadOnlyMemory<byte>[] pieces, int length)
    {
        var joined = new byte[length];
        var end = 0;
        foreach (var piece in pieces)
        {
            piece.CopyTo(joined.AsMemory(end));
            end += piece.Length;
        }

        return joined;
    }
}

[RegisterSerializer]
internal sealed class BlockCodec : IFieldCodec<Block>
{
    public void WriteField<TBufferWriter>(ref Writer<TBufferWriter> writer, uint fieldIdDelta, Type? expectedType, Block? value)
        where TBufferWriter : IBufferWriter<byte>
    {
        if (ReferenceCodec.TryWriteReferenceField(ref writer, fieldIdDelta, expectedType!, value!) || value is null)
        {
            return;
        }

        writer.WriteFieldHeader(fieldIdDelta, expectedType!, typeof(Block), WireType.LengthPrefixed);
        writer.WriteVarUInt32(checked((uint)value.Length));
        value.Write(ref writer);
    }

    public Block ReadValue<TInput>(ref Reader<TInput> reader, Field field)
    {
        if (field.WireType == WireType.Reference)
        {
            return ReferenceCodec.ReadReference<Block, TInput>(ref reader, field)!;
        }

        field.EnsureWireType(WireType.LengthPrefixed);
        var block = Block.Read(ref reader, reader.ReadVarUInt32());
        ReferenceCodec.RecordObject(reader.Session, block);
        return block;
    }
}

[RegisterCopier]
internal sealed class BlockCopier : IDeepCopier<Block>, IOptionalDeepCopier
{
    public Block? DeepCopy(Block? input, CopyContext context) => input;

    public bool IsShallowCopyable() => true;
}
