using System.Text;

namespace KawaOrleans.Storage.Tests.Format;

public sealed class NamesTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("0")]
    [InlineData("orders-2026.eu_west")]
    [InlineData("9..--__")]
    public void A_key_of_small_letters_digits_dots_dashes_and_underscores_is_taken(string name) => Assert.Null(Names.WhyNotKey(name));

    [Theory]
    [InlineData(null, "at least one")]
    [InlineData("", "at least one")]
    [InlineData("-a", "starts with")]
    [InlineData(".", "starts with")]
    [InlineData("..", "starts with")]
    [InlineData("_a", "starts with")]
    [InlineData("Orders", "starts with")]
    [InlineData("oRders", "holds only")]
    [InlineData("a/b", "holds only")]
    [InlineData("a\\b", "holds only")]
    [InlineData("a b", "holds only")]
    [InlineData("aé", "holds only")]
    [InlineData("a\0", "holds only")]
    public void A_key_that_could_be_no_folder_or_two_is_refused_with_its_rule(string? name, string rule) =>
        Assert.Contains(rule, Names.WhyNotKey(name));

    [Fact]
    public void A_key_has_at_most_128_characters()
    {
        Assert.Null(Names.WhyNotKey(new string('a', 128)));
        Assert.Contains("129", Names.WhyNotKey(new string('a', 129)));
    }

    public static TheoryData<string, string> RefusedTexts => new()
    {
        { "", "at least one" },
        { "$sys", "reserved" },
        { "$", "reserved" },
        { "a\nb", "control" },
        { "a\0", "control" },
        { "\u007f", "control" },
        { "a\u0085", "control" },
        { new string('a', 513), "512" },
        { new string('é', 257), "512" },
    };

    [Theory]
    [MemberData(nameof(RefusedTexts))]
    public void A_stream_or_type_name_is_refused_alike_as_text_and_as_bytes(string name, string rule)
    {
        Assert.Contains(rule, Names.WhyNotText(name));
        Assert.Contains(rule, Names.WhyNotText(Encoding.UTF8.GetBytes(name)));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("Order 7 / EU")]
    [InlineData("注文-1")]
    [InlineData("a$")]
    [InlineData("👍")]
    public void A_readable_name_is_taken_as_text_and_as_bytes(string name)
    {
        Assert.Null(Names.WhyNotText(name));
        Assert.Null(Names.WhyNotText(Encoding.UTF8.GetBytes(name)));
    }

    [Fact]
    public void A_name_may_fill_its_512_bytes()
    {
        Assert.Null(Names.WhyNotText(new string('a', 512)));
        Assert.Null(Names.WhyNotText(new string('é', 256)));
        Assert.Null(Names.WhyNotText(Encoding.UTF8.GetBytes(new string('é', 256))));
    }

    [Fact]
    public void Half_a_surrogate_pair_is_refused() => Assert.Contains("Unicode", Names.WhyNotText("a\ud83d"));

    [Theory]
    [InlineData(new byte[] { 0x61, 0xFF })]
    [InlineData(new byte[] { 0xC0, 0x80 })]
    [InlineData(new byte[] { 0xED, 0xA0, 0x80 })]
    [InlineData(new byte[] { 0xE2, 0x82 })]
    public void Bytes_that_are_no_UTF_8_are_refused(byte[] name) => Assert.Contains("UTF-8", Names.WhyNotText(name));
}
