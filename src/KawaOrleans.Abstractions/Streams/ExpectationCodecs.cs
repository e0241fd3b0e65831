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

    public static ExpectedRevision Of(long code) =>
        ExpectedRevision.OfCode(code) ?? throw new RequestRefusedException($"{code} says nothing of a revision: 0 any, 1 no stream, 2 an existing stream, 3 + n exactly n.");
}

[GenerateSerializer, Immutable, Alias("kawa.stream-expectations")]
internal struct StreamExpectationsSurrogate
{
    [Id(0)]
    public string[] Streams;

    [Id(1)]
    public long[] Codes;
}

/// <summary>What travels is checked again where it arrives.</summary>
[RegisterConverter]
internal sealed class StreamExpectationsConverter : IConverter<StreamExpectations, StreamExpectationsSurrogate>
{
    public StreamExpectations ConvertFromSurrogate(in StreamExpectationsSurrogate surrogate)
    {
        var (streams, codes) = (surrogate.Streams ?? [], surrogate.Codes ?? []);
        if (streams.Length != codes.Length)
        {
            throw new RequestRefusedException($"{streams.Length} streams with {codes.Length} revisions expected of them.");
        }

        var expected = new StreamExpectation[streams.Length];
        for (var i = 0; i < expected.Length; i++)
        {
            expected[i] = new StreamExpectation(streams[i], ExpectedRevisionConverter.Of(codes[i]));
        }

        try
        {
            return StreamExpectations.Of(expected);
        }
        catch (BatchRefusedException e)
        {
            throw new RequestRefusedException(e.Message);
        }
    }

    public StreamExpectationsSurrogate ConvertToSurrogate(in StreamExpectations value)
    {
        var (streams, codes) = (new string[value.All.Count], new long[value.All.Count]);
        for (var i = 0; i < streams.Length; i++)
        {
            (streams[i], codes[i]) = (value.All[i].Stream, value.All[i].Expected.Code);
        }

        return new StreamExpectationsSurrogate { Streams = streams, Codes = codes };
    }
}
