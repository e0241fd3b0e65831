using System.Reflection;
using System.Text;

namespace KawaOrleans.Cluster.Tests.Streams;

/// <summary>Expectations that no client of ours can make, as bytes of somebody else's: refused where they arrive, and nothing is written.</summary>
public sealed class ExpectationRefusalTests
{
    public static TheoryData<string, string[], long> Malformed => new()
    {
        { "named twice", ["s", "s"], 0 },
        { "named twice", ["s", "t", "s"], 0 },
        { "at least one character", [""], 0 },
        { "reserved", ["$all"], 0 },
        { "reserved", ["$meta/$meta/s"], 0 },
        { "control", ["a\nb"], 0 },
        { "at most 512", [new string('x', 513)], 0 },
        { "at most 1024", [.. Enumerable.Range(0, 1025).Select(i => $"s-{i}")], 0 },
        { "-1 says nothing", ["s"], -1 },
        { "says nothing", ["s"], long.MinValue },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void What_travels_is_checked_where_it_arrives(string limit, string[] streams, long code)
    {
        var encoded = Encode([.. streams.Select(stream => (stream, code))]);
        var error = Assert.Throws<BatchRefusedException>(() => StreamExpectations.Decode(encoded));
        Assert.Contains(limit, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_ends_amid_a_stream_is_refused_wherever_it_ends()
    {
        var whole = Encode(("first", 0), ("second", 5));
        var one = Encode(("first", 0)).Length;
        for (var length = 1; length < whole.Length; length++)
        {
            if (length != one)
            {
                var error = Assert.Throws<BatchRefusedException>(() => StreamExpectations.Decode(whole.AsSpan(0, length)));
                Assert.Contains("ends amid a stream", error.Message, StringComparison.Ordinal);
            }
        }

        Assert.Equal(2, StreamExpectations.Decode(whole).All.Count);
    }

    [Fact]
    public void A_name_that_is_no_text_is_refused() =>
        Assert.Throws<BatchRefusedException>(() => StreamExpectations.Decode([2, 0, 0xC3, 0x28, 0, 0, 0, 0, 0, 0, 0, 0]));

    [Fact]
    public void What_arrives_is_what_was_sent()
    {
        var sent = StreamExpectations.Of(
            new("order-1", ExpectedRevision.Exactly(7)), new("Größe 漢字", ExpectedRevision.NoStream), new("$meta/s", ExpectedRevision.StreamExists), new("any", ExpectedRevision.Any));
        var encoded = new byte[sent.EncodedBytes];
        sent.Encode(encoded);
        Assert.Equal(sent.All, StreamExpectations.Decode(encoded).All);
        Assert.Empty(StreamExpectations.Decode([]).All);
    }

    [Fact]
    public async Task Malformed_expectations_are_refused_by_the_silo_and_nothing_is_written()
    {
        await using var cluster = await StreamTests.Start(1);
        var log = StreamTests.Log(cluster, "orders");
        await log.AppendAsync(PlainLog.Batch(1, "s"));
        var chain = await cluster.Client.GetGrain<ISegmentDirectoryGrain>("orders").GetChain();
        var grain = cluster.Client.GetGrain<ISegmentGrain>(chain.WriteSegment!.Id, chain.WriteSegment.Primary);
        foreach (var expected in new[]
        {
            Forged(("s", 0), ("s", 0)), Forged(("$all", 0)), Forged(("s", -5)), Forged([.. Enumerable.Range(0, 1025).Select(i => ($"s-{i}", 0L))]),
        })
        {
            var error = await Assert.ThrowsAnyAsync<Exception>(async () => await grain.Append(new AppendRequest
            {
                Batches = Block.Of(PlainLog.Batch(1, "s")), Expected = [expected],
            }));
            Assert.True(error is RequestRefusedException, $"{error.GetType()}: {error.Message}");
        }

        Assert.Single(await StreamTests.Drain(log.ReadAsync()));

        // And the connection goes on.
        Assert.IsType<Appended>(await log.Stream("s").AppendAsync([PlainLog.Event("s", "x", "")], ExpectedRevision.Exactly(0)));
    }

    /// <summary>Made behind the back of the checks that a client of ours cannot get around.</summary>
    private static StreamExpectations Forged(params (string Stream, long Code)[] expected)
    {
        const BindingFlags hidden = BindingFlags.Instance | BindingFlags.NonPublic;
        var revision = typeof(ExpectedRevision).GetConstructor(hidden, [typeof(long)])!;
        byte[][] names = [.. expected.Select(e => Encoding.UTF8.GetBytes(e.Stream))];
        ExpectedRevision[] revisions = [.. expected.Select(e => (ExpectedRevision)revision.Invoke([e.Code]))];
        return (StreamExpectations)typeof(StreamExpectations).GetConstructor(hidden, [typeof(byte[][]), typeof(ExpectedRevision[])])!.Invoke([names, revisions]);
    }

    private static byte[] Encode(params (string Stream, long Code)[] expected)
    {
        var forged = Forged(expected);
        var encoded = new byte[forged.EncodedBytes];
        forged.Encode(encoded);
        return encoded;
    }
}
