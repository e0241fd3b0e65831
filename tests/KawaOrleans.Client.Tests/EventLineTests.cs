using System.Buffers;
using System.Text;
using KawaOrleans.ClientSample.Ndjson;

namespace KawaOrleans.Client.Tests;

public sealed class EventLineTests
{
    private static readonly Guid Derived = new("0f000000-0000-0000-0000-00000000000f");

    [Fact]
    public void A_line_becomes_an_event_with_the_very_bytes_of_its_data()
    {
        var e = Parse("""{"stream":"file-a b","type":"Añadido","time":1418999570,"data":{ "x" : 1.50, "y":"\u00e9" },"metadata":[null]}""");

        Assert.Equal(("file-a b", "Añadido", Derived), (e.Stream, e.Type, e.Id));
        Assert.Equal(new DateTimeOffset(2014, 12, 19, 14, 32, 50, TimeSpan.Zero), e.Occurred);
        Assert.Equal("""{ "x" : 1.50, "y":"\u00e9" }""", Encoding.UTF8.GetString(e.Data.Span));
        Assert.Equal("[null]", Encoding.UTF8.GetString(e.Metadata.Span));
    }

    [Theory]
    [InlineData("\"2014-12-19T14:32:50Z\"", "2014-12-19T14:32:50.0000000+00:00")]
    [InlineData("\"2014-12-19T15:32:50.1234567+01:00\"", "2014-12-19T14:32:50.1234567+00:00")]
    [InlineData("-1.5", "1969-12-31T23:59:58.5000000+00:00")]
    public void A_time_is_seconds_or_ISO_8601(string json, string expected) =>
        Assert.Equal(expected, Parse($$"""{"stream":"s","type":"t","time":{{json}},"data":1}""").Occurred!.Value.ToString("O"));

    [Theory]
    [InlineData("", "empty")]
    [InlineData("{\"stream\":\"s\"", "not JSON")]
    [InlineData("[1]", "one JSON object, not an array")]
    [InlineData("{} {}", "not JSON")]
    [InlineData("{\"type\":\"t\",\"data\":1}", "'stream' is missing")]
    [InlineData("{\"stream\":\"s\",\"data\":1}", "'type' is missing")]
    [InlineData("{\"stream\":\"s\",\"type\":\"t\"}", "'data' is missing")]
    [InlineData("{\"stream\":7,\"type\":\"t\",\"data\":1}", "'stream' is a string, not a number")]
    [InlineData("{\"stream\":null,\"type\":\"t\",\"data\":1}", "'stream' is a string, not null")]
    [InlineData("{\"stream\":\"\\ud800\",\"type\":\"t\",\"data\":1}", "well-formed")]
    [InlineData("{\"stream\":\"s\",\"type\":\"t\",\"data\":1,\"time\":\"yesterday\"}", "'time'")]
    [InlineData("{\"stream\":\"s\",\"type\":\"t\",\"data\":1,\"time\":\"2014-12-19T14:32:50\"}", "offset")]
    [InlineData("{\"stream\":\"s\",\"type\":\"t\",\"data\":1,\"time\":1e15}", "years")]
    [InlineData("{\"stream\":\"s\",\"type\":\"t\",\"data\":1,\"time\":1e300}", "'time'")]
    [InlineData("{\"stream\":\"s\",\"type\":\"t\",\"data\":1,\"id\":\"17\"}", "'id' is no UUID")]
    [InlineData("{\"stream\":\"s\",\"type\":\"t\",\"data\":1,\"position\":4}", "'position' is not known")]
    [InlineData("{\"stream\":\"s\",\"type\":\"t\",\"data\":1,\"data\":2}", "not JSON")]
    [InlineData("{\"stream\":\"s\",\"type\":\"t\",\"data\":1,\"dataBase64\":\"AA==\"}", "given twice")]
    [InlineData("{\"stream\":\"s\",\"type\":\"t\",\"dataBase64\":\"???\"}", "Base64")]
    public void A_line_that_is_no_event_is_refused_with_the_reason(string line, string reason) =>
        Assert.Contains(reason, Assert.Throws<FormatException>(() => Parse(line)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("{\"a\":[1,2,{\"b\":\"\\u00e9é😀\"}]}")]
    [InlineData("\"text\"")]
    [InlineData("0")]
    [InlineData("")]
    [InlineData(" {}")]
    [InlineData("{\n}")]
    [InlineData("{} {}")]
    [InlineData("not json")]
    [InlineData("\u0000\u0001")]
    public void What_is_written_is_read_back_byte_for_byte(string data)
    {
        AssertRoundTrip(Encoding.UTF8.GetBytes(data));
        AssertRoundTrip([.. Encoding.UTF8.GetBytes(data), 0xFF]);
    }

    [Fact]
    public void Deeply_nested_data_comes_back_byte_for_byte()
    {
        foreach (var depth in new[] { 1, 63, 64, 65, 500 })
        {
            AssertRoundTrip(Encoding.UTF8.GetBytes(new string('[', depth) + new string(']', depth)));
        }
    }

    [Fact]
    public void Random_bytes_come_back_byte_for_byte()
    {
        var random = new Random(20141219);
        for (var i = 0; i < 2000; i++)
        {
            var bytes = new byte[random.Next(40)];
            random.NextBytes(bytes);
            AssertRoundTrip(bytes);
            AssertRoundTrip([(byte)'"', .. bytes.Where(b => b is not (byte)'"' and not (byte)'\\'), (byte)'"']);
        }
    }

    private static EventData Parse(string line) => EventLine.Parse(Encoding.UTF8.GetBytes(line), Derived);

    private static void AssertRoundTrip(byte[] data)
    {
        var recorded = new RecordedEvent
        {
            Position = 0, Revision = -1, Stream = "s \"quoted\" 😀", Type = "t", Id = Guid.NewGuid(), Recorded = default,
            Occurred = DateTimeOffset.UnixEpoch.AddTicks(17), Data = data, Metadata = data,
        };
        var line = new ArrayBufferWriter<byte>();
        EventLine.Write(recorded, line);
        Assert.DoesNotContain((byte)'\n', line.WrittenSpan.ToArray());

        var read = EventLine.Parse(line.WrittenMemory, Derived);

        Assert.Equal((recorded.Stream, recorded.Type, recorded.Id, recorded.Occurred), (read.Stream, read.Type, read.Id, read.Occurred));
        Assert.Equal(data, read.Data.ToArray());
        Assert.Equal(data, read.Metadata.ToArray());
    }
}
