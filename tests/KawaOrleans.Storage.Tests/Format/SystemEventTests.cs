using KawaOrleans.Format;

namespace KawaOrleans.Storage.Tests.Format;

/// <summary>The events by which streams are changed: what a writer takes of them, and what it refuses of bytes made by hand.</summary>
public sealed class SystemEventTests
{
    private static readonly EventData Metadata = StreamMetadata.None.ToEvent("s");

    [Fact]
    public void What_is_made_for_a_change_of_a_stream_is_taken()
    {
        Assert.Equal(["$metadata"], Types(StreamChange.SetMetadata("s", StreamMetadata.None)));
        Assert.Equal(["$metadata", "$deleted"], Types(StreamChange.Delete("s", StreamMetadata.None, 4)));
        Assert.Equal(["$tombstone"], Types(StreamChange.Tombstone("s")));
        Assert.Equal(["t", "$deleted"], Types(EventBatch.EncodeNamed([new EventData("s", "t", default), new EventData("s", "$deleted", default)])));
    }

    [Fact]
    public void The_longest_name_has_metadata_too()
    {
        var longest = new string('x', Limits.MaxNameBytes);
        Assert.Equal(1, EventBatch.Parse(StreamChange.SetMetadata(longest, StreamMetadata.None).Bytes).Count);
        Assert.Contains("512", Refused(() => StreamChange.SetMetadata(longest + "x", StreamMetadata.None)), StringComparison.Ordinal);
        Assert.Contains("512", Refused([Metadata with { Stream = "$meta/" + longest + "x" }]), StringComparison.Ordinal);
    }

    [Fact]
    public void What_no_stream_can_have_is_not_encoded()
    {
        Assert.Contains("TruncateBefore", Refused(() => StreamChange.SetMetadata("s", new StreamMetadata { TruncateBefore = -1 })), StringComparison.Ordinal);
        Assert.Contains("MaxCount", Refused(() => StreamChange.Delete("s", new StreamMetadata { MaxCount = 0 }, 1)), StringComparison.Ordinal);
        Assert.Contains("reserved", Refused(() => StreamChange.SetMetadata("$meta/s", StreamMetadata.None)), StringComparison.Ordinal);
        Assert.Contains("reserved", Refused(() => StreamChange.Delete("$s", StreamMetadata.None, 1)), StringComparison.Ordinal);
        Assert.Contains("reserved", Refused(() => StreamChange.Tombstone("$meta/s")), StringComparison.Ordinal);
        Assert.Contains("reserved", Refused(() => EventBatch.Of(Metadata)), StringComparison.Ordinal);
        Assert.Contains("reserved", Refused(() => EventBatch.Of(new EventData("s", "$deleted", default))), StringComparison.Ordinal);
    }

    [Fact]
    public void Garbage_in_a_stream_of_metadata_is_refused()
    {
        Assert.Contains("'$metadata' and no others", Refused([Metadata with { Type = "t" }]), StringComparison.Ordinal);
        Assert.Contains("'$metadata' and no others", Refused([new EventData("$meta/s", "$deleted", default)]), StringComparison.Ordinal);
        Assert.Contains("'$metadata' and no others", Refused([new EventData("$meta/s", "$tombstone", default)]), StringComparison.Ordinal);
        Assert.Contains("are no metadata", Refused([Metadata with { Data = new byte[27] }]), StringComparison.Ordinal);
        Assert.Contains("are no metadata", Refused([Metadata with { Data = default }]), StringComparison.Ordinal);
        Assert.Contains("0 or more, not -1", Refused([(StreamMetadata.None with { TruncateBefore = -1 }).ToEvent("s")]), StringComparison.Ordinal);
        Assert.Contains("at least 1, not -3", Refused([(StreamMetadata.None with { MaxCount = -3 }).ToEvent("s")]), StringComparison.Ordinal);
        Assert.Contains("more than nothing", Refused([(StreamMetadata.None with { MaxAge = TimeSpan.FromTicks(-1) }).ToEvent("s")]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("$meta/", "at least one character")]
    [InlineData("$meta/$meta/s", "reserved")]
    [InlineData("$meta/a\nb", "control")]
    [InlineData("$meta", "reserved")]
    [InlineData("$other", "reserved")]
    public void Metadata_of_what_is_no_stream_are_refused(string stream, string reason) =>
        Assert.Contains(reason, Refused([Metadata with { Stream = stream }]), StringComparison.Ordinal);

    [Fact]
    public void The_types_of_the_system_are_no_types_of_users()
    {
        Assert.Contains("reserved", Refused([new EventData("s", "$metadata", Metadata.Data)]), StringComparison.Ordinal);
        Assert.Contains("reserved", Refused([new EventData("s", "$other", default)]), StringComparison.Ordinal);
        Assert.Contains("neither data", Refused([new EventData("s", "$deleted", new byte[1])]), StringComparison.Ordinal);
        Assert.Contains("neither data", Refused([new EventData("s", "$tombstone", default) { Metadata = new byte[1] }]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("$deleted")]
    [InlineData("$tombstone")]
    public void What_ends_a_stream_is_the_last_of_its_batch(string type) => Assert.Contains(
        "last of its batch", Refused([new EventData("s", type, default), new EventData("s", "t", default)]), StringComparison.Ordinal);

    [Theory]
    [InlineData("$deleted", FrameTraits.LastOfBatch, "the flag of its type")]
    [InlineData("$deleted", FrameTraits.LastOfBatch | FrameTraits.EndsStream, "the flag of its type")]
    [InlineData("$deleted", FrameTraits.LastOfBatch | FrameTraits.EndsStream | FrameTraits.DeletesStream, "no other such flag")]
    [InlineData("$tombstone", FrameTraits.LastOfBatch | FrameTraits.DeletesStream, "the flag of its type")]
    [InlineData("t", FrameTraits.LastOfBatch | FrameTraits.DeletesStream, "only an event of type")]
    [InlineData("t", FrameTraits.LastOfBatch | FrameTraits.EndsStream, "only an event of type")]
    public void Flag_and_type_go_together(string type, FrameTraits traits, string reason)
    {
        var bytes = EventBatch.EncodeNamed([new EventData("s", type, default)]).Bytes.ToArray();
        bytes[FrameLayout.Traits] = (byte)traits;
        Sample.Rehash(bytes);
        Assert.Contains(reason, Refused(() => EventBatch.Parse(bytes)), StringComparison.Ordinal);
        Assert.Contains(reason, Refused(() => EventBlock.Parse(bytes)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_flag_on_metadata_is_refused()
    {
        var bytes = EventBatch.EncodeNamed([Metadata]).Bytes.ToArray();
        bytes[FrameLayout.Traits] |= (byte)FrameTraits.EndsStream;
        Sample.Rehash(bytes);
        Assert.Contains("'$metadata' and no others", Refused(() => EventBatch.Parse(bytes)), StringComparison.Ordinal);
    }

    private static List<string> Types(EventBatch batch)
    {
        using var block = EventBlock.Parse(batch.Bytes);
        Assert.Equal(1, block.BatchCount);
        var types = new List<string>();
        for (var rest = batch.Bytes; !rest.IsEmpty; rest = rest[FrameLayout.Padded(BitConverter.ToInt32(rest.Span[FrameLayout.Length..]))..])
        {
            var frame = new Frame(rest.Span[..FrameLayout.Padded(BitConverter.ToInt32(rest.Span[FrameLayout.Length..]))], 0);
            Assert.True(EventFrame.TryOpen(frame, 0, out var e));
            types.Add(e.ToRecordedEvent().Type);
        }

        return types;
    }

    private static string Refused(IReadOnlyList<EventData> events) => Refused(() => EventBatch.Parse(EventBatch.EncodeNamed(events).Bytes));

    private static string Refused(Action encode) => Assert.Throws<BatchRefusedException>(encode).Message;
}
