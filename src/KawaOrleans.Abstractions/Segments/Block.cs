using System.Buffers;
using Orleans.Serialization;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.Serializers;
using Orleans.Serialization.WireProtocol;

namespace KawaOrleans;

/// <summary>Bytes in a message, written in one piece and without a copy of their own: straight from the memory given.
/// That memory must not change before the message has left. A large block that arrived lies in pooled memory: whoever it arrives at
/// may dispose it once nothing looks at its bytes any more; one that is not disposed is collected like any other object.</summary>
/// <remarks>The framework encodes <see cref="ReadOnlyMemory{T}"/> element by element, some thirty times slower.</remarks>
[Immutable, Alias("kawa.block")]
public sealed class Block : IDisposable
{
    // Below this an array costs less than the pool; above it arrays soon go to the large object heap, which is cleared when an array is
    // made and collected only with everything else.
    private const int LeastPooledBytes = 16 * 1024;

    private readonly ReadOnlyMemory<byte> _bytes;
    private byte[]? _pooled;
    private bool _disposed;

    /// <summary>A block that will be written from this memory.</summary>
    public Block(ReadOnlyMemory<byte> bytes) => _bytes = bytes;

    private Block(byte[] pooled, int length)
    {
        _pooled = pooled;
        _bytes = pooled.AsMemory(0, length);
    }

    /// <summary>The bytes.</summary>
    /// <exception cref="ObjectDisposedException">The block was disposed.</exception>
    public ReadOnlyMemory<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _bytes;
        }
    }

    /// <summary>A batch, ready to be appended.</summary>
    public static Block Of(EventBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return new Block(batch.Bytes);
    }

    /// <summary>Gives pooled memory back. Nothing may look at <see cref="Bytes"/>, or at an event in them, from here on.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _pooled, null) is { } pooled)
        {
            _disposed = true;
            ArrayPool<byte>.Shared.Return(pooled);
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
        var pooled = ArrayPool<byte>.Shared.Rent((int)length);
        reader.ReadBytes(pooled.AsSpan(0, (int)length));
        return new Block(pooled, (int)length);
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
        writer.WriteVarUInt32(checked((uint)value.Bytes.Length));
        writer.Write(value.Bytes.Span);
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
