using System.Buffers;
using Orleans.Serialization;
using Orleans.Serialization.Buffers;
using Orleans.Serialization.Cloning;
using Orleans.Serialization.Codecs;
using Orleans.Serialization.Serializers;
using Orleans.Serialization.WireProtocol;

namespace KawaOrleans;

[GenerateSerializer, Immutable, Alias("kawa.expected-revision")]
internal struct ExpectedRevisionSurrogate
{
    [Id(0)]
    public long Code;
}

[RegisterConverter]
internal sealed class ExpectedRevisionConverter : IConverter<ExpectedRevision, ExpectedRevisionSurrogate>
{
    public ExpectedRevision ConvertFromSurrogate(in ExpectedRevisionSurrogate surrogate) => Of(surrogate.Code);

    public ExpectedRevisionSurrogate ConvertToSurrogate(in ExpectedRevision value) => new() { Code = value.Code };

    private static ExpectedRevision Of(long code) =>
        ExpectedRevision.OfCode(code) ?? throw new RequestRefusedException($"{code} says nothing of a revision: 0 any, 1 no stream, 2 an existing stream, 3 + n exactly n.");
}

/// <summary>What travels is checked again where it arrives. One piece of bytes: a block of single events has as many of these as events.</summary>
[RegisterSerializer]
internal sealed class StreamExpectationsCodec : IFieldCodec<StreamExpectations>
{
    private const int StackBytes = 1024;

    public void WriteField<TBufferWriter>(ref Writer<TBufferWriter> writer, uint fieldIdDelta, Type? expectedType, StreamExpectations? value)
        where TBufferWriter : IBufferWriter<byte>
    {
        if (value is null)
        {
            ReferenceCodec.WriteNullReference(ref writer, fieldIdDelta);
            return;
        }

        // Written anew where it comes twice: looking for it among all that was written costs more.
        ReferenceCodec.MarkValueField(writer.Session);
        writer.WriteFieldHeader(fieldIdDelta, expectedType!, typeof(StreamExpectations), WireType.LengthPrefixed);
        var length = value.EncodedBytes;
        writer.WriteVarUInt32((uint)length);
        var encoded = length <= StackBytes ? stackalloc byte[length] : new byte[length];
        value.Encode(encoded);
        writer.Write(encoded);
    }

    public StreamExpectations ReadValue<TInput>(ref Reader<TInput> reader, Field field)
    {
        if (field.WireType == WireType.Reference)
        {
            return ReferenceCodec.ReadReference<StreamExpectations, TInput>(ref reader, field)!;
        }

        field.EnsureWireType(WireType.LengthPrefixed);
        ReferenceCodec.MarkValueField(reader.Session);
        var length = reader.ReadVarUInt32();
        reader.EnsureAvailable(length);
        var encoded = length <= StackBytes ? stackalloc byte[(int)length] : new byte[length];
        reader.ReadBytes(encoded);
        try
        {
            return StreamExpectations.Decode(encoded);
        }
        catch (BatchRefusedException e)
        {
            throw new RequestRefusedException(e.Message);
        }
    }
}

[RegisterCopier]
internal sealed class StreamExpectationsCopier : IDeepCopier<StreamExpectations>, IOptionalDeepCopier
{
    public StreamExpectations? DeepCopy(StreamExpectations? input, CopyContext context) => input;

    public bool IsShallowCopyable() => true;
}
