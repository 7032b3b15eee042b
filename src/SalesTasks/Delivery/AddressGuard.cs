using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace SalesTasks.Delivery;

/// <summary>
/// Connects to receivers, never to addresses that a webhook has no business with: link-local (where clouds keep their metadata services),
/// those metadata services elsewhere, unspecified, multicast and broadcast. Judged is the address that is connected to, after the name was
/// resolved, so that a name cannot point there either. Private networks are allowed: many receivers live there.
/// </summary>
internal static class AddressGuard
{
    private static readonly IPAddress[] s_metadata =
    [
        IPAddress.Parse("fd00:ec2::254"), // Amazon EC2 over IPv6
        IPAddress.Parse("fd20:ce::254"), // Google Cloud over IPv6
        IPAddress.Parse("100.100.100.200"), // Alibaba Cloud
        IPAddress.Parse("168.63.129.16"), // Azure host services
        IPAddress.Parse("192.0.0.192"), // Oracle Cloud
    ];

    /// <summary>Whether nothing may ever be sent there.</summary>
    public static bool IsForbidden(IPAddress address)
    {
        if (Embedded(address) is { } inner)
        {
            return IsForbidden(inner);
        }

        if (s_metadata.Contains(address))
        {
            return true;
        }

        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            Span<byte> bytes = stackalloc byte[4];
            address.TryWriteBytes(bytes, out _);
            return bytes is [0, ..] or [169, 254, ..] or [>= 224, ..];
        }

        return address.IsIPv6LinkLocal || address.IsIPv6Multicast || address.Equals(IPAddress.IPv6Any);
    }

    /// <summary>Resolves the name and connects to the first of its allowed addresses that answers.</summary>
    /// <exception cref="BlockedAddressException">All of its addresses are forbidden.</exception>
    /// <exception cref="SocketException">It cannot be resolved or reached.</exception>
    public static async Task<Stream> ConnectAsync(DnsEndPoint endPoint, CancellationToken cancellationToken)
    {
        var addresses = await Dns.GetHostAddressesAsync(endPoint.Host, cancellationToken);
        var allowed = addresses.Where(address => !IsForbidden(address)).ToArray();
        if (allowed.Length == 0)
        {
            throw addresses.Length == 0 ? new SocketException((int)SocketError.HostNotFound) : new BlockedAddressException();
        }

        SocketException? last = null;
        foreach (var address in allowed)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(address, endPoint.Port), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException exception)
            {
                socket.Dispose();
                last = exception;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        throw last!;
    }

    /// <summary>The IPv4 address that an IPv6 address of a transition mechanism stands for.</summary>
    private static IPAddress? Embedded(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return null;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        // NAT64 (RFC 6052, 64:ff9b::/96), 6to4 (RFC 3056, 2002::/16), IPv4-compatible (RFC 4291, ::/96; not :: and ::1).
        if (bytes[..12].SequenceEqual<byte>([0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]))
        {
            return new IPAddress(bytes[12..]);
        }

        if (bytes is [0x20, 0x02, ..])
        {
            return new IPAddress(bytes[2..6]);
        }

        return !bytes[..12].ContainsAnyExcept((byte)0) && BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]) > 1 ? new IPAddress(bytes[12..]) : null;
    }
}

/// <summary>A receiver's name leads only to addresses that are never connected to.</summary>
internal sealed class BlockedAddressException() : Exception("The receiver's address is link-local, a metadata service, unspecified or multicast.");
