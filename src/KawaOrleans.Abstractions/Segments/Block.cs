using System.Buffers;
using Orleans.Serialization;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.Serializers;
using Orleans.Serialization.WireProtocol;

namespace KawaOrleans;

/// <summary>Bytes in a message, written in one piece and without a copy of their own: straight from the memory given.
/// That memory must not change before the message has left.</summary>
/// <remarks>The framework encodes <see cref="ReadOnlyMemory{T}"/> element by element, some thirty times slower.</remarks>
[Immutable, Alias("kawa.block")]
public sealed class Block(ReadOnlyMemory<byte> bytes)
{
    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Bytes { get; } = bytes;

    /// <summary>A batch, ready to be appended.</summary>
    public static Block Of(EventBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return new Block(batch.Bytes);
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
        var length = reader.ReadVarUInt32();
        var block = new Block(reader.ReadBytes(length));
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
