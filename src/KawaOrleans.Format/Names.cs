using System.Buffers;
using System.Text;

namespace KawaOrleans;

/// <summary>The rules for names. Log and node names become folders and grain keys, so they are narrow; stream and type names
/// never become paths and may be any readable text.</summary>
public static class Names
{
    private static readonly SearchValues<char> KeyCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789._-");
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Why this is no log or node name, or null when it is one: <c>[a-z0-9][a-z0-9._-]{0,127}</c>.</summary>
    public static string? WhyNotKey(string? name) => name switch
    {
        null or "" => "a name has at least one character",
        { Length: > Limits.MaxKeyLength } => $"a name has at most {Limits.MaxKeyLength} characters, this one has {name.Length}",
        _ when !char.IsAsciiLetterLower(name[0]) && !char.IsAsciiDigit(name[0]) => "a name starts with a-z or 0-9",
        _ when name.AsSpan().ContainsAnyExcept(KeyCharacters) => "a name holds only a-z, 0-9, '.', '_' and '-'",
        _ => null,
    };

    /// <summary>Why this is no stream or type name, or null when it is one: UTF-8 without control characters, 1 to 512 bytes,
    /// not beginning with the reserved <c>$</c>.</summary>
    public static string? WhyNotText(string? name)
    {
        if (string.IsNullOrEmpty(name))
        {
            return "a name has at least one character";
        }

        try
        {
            var bytes = Strict.GetByteCount(name);
            if (bytes > Limits.MaxNameBytes)
            {
                return $"a name has at most {Limits.MaxNameBytes} UTF-8 bytes, this one has {bytes}";
            }
        }
        catch (EncoderFallbackException)
        {
            return "a name is well-formed Unicode";
        }

        if (name[0] == '$')
        {
            return "names beginning with '$' are reserved";
        }

        foreach (var character in name)
        {
            if (char.IsControl(character))
            {
                return "a name holds no control characters";
            }
        }

        return null;
    }

    /// <summary>Why no events lie under this name, or null when they may: a stream's name, or <see cref="StreamMetadata.StreamOf"/> of one.</summary>
    public static string? WhyNotStream(string? name) => name?.StartsWith(StreamMetadata.Prefix, StringComparison.Ordinal) == true
        ? WhyNotText(name[StreamMetadata.Prefix.Length..]) is { } reason ? $"behind '{StreamMetadata.Prefix}' comes a stream's name: {reason}" : null
        : WhyNotText(name);

    /// <summary>The same of an encoded name.</summary>
    internal static string? WhyNotStream(ReadOnlySpan<byte> utf8) => utf8.StartsWith(StreamMetadata.PrefixUtf8)
        ? WhyNotText(utf8[StreamMetadata.PrefixBytes..]) is { } reason ? $"behind '{StreamMetadata.Prefix}' comes a stream's name: {reason}" : null
        : WhyNotText(utf8);

    /// <summary>The same rule for the encoded form, which is what a writer receives.</summary>
    internal static string? WhyNotText(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > Limits.MaxNameBytes)
        {
            return $"a name has at most {Limits.MaxNameBytes} UTF-8 bytes, this one has {utf8.Length}";
        }

        // Plain ASCII text, by far the most frequent name, needs no decoding.
        if (!utf8.IsEmpty && utf8[0] != (byte)'$' && !utf8.ContainsAnyExceptInRange((byte)0x20, (byte)0x7E))
        {
            return null;
        }

        try
        {
            return WhyNotText(Strict.GetString(utf8));
        }
        catch (DecoderFallbackException)
        {
            return "a name is well-formed UTF-8";
        }
    }
}
