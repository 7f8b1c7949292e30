<?php
/**
 * Asks Envoi what a user sees, and tells it what they did. Never keeps a page waiting for long.
 *
 * @package Envoi_Notices
 */

declare( strict_types=1 );

defined( 'ABSPATH' ) || exit;

/**
 * What was answered is kept per user with its ETag: each page asks whether it still holds, which costs Envoi next to
 * nothing. When Envoi does not answer, it is left alone for a minute and the copy is shown.
 */
final class Envoi_Notices_Client {
	private const TIMEOUT   = 2;
	private const LEAVE     = MINUTE_IN_SECONDS;
	private const KEEP      = DAY_IN_SECONDS;
	private const VOUCH_FOR = 5 * MINUTE_IN_SECONDS;

	/**
	 * Start with the settings of the network.
	 *
	 * @param Envoi_Notices_Settings $settings Where Envoi is.
	 */
	public function __construct( private Envoi_Notices_Settings $settings ) {}

	/**
	 * The notices this user sees now, and how many more there are.
	 *
	 * @param WP_User $user Who is looking.
	 * @param bool    $all  Beyond the limit for one dashboard, too.
	 * @return array{notices: array<int, array<string, mixed>>, more: int}
	 */
	public function answer( WP_User $user, bool $all = false ): array {
		$none = array(
			'etag'    => '',
			'notices' => array(),
			'more'    => 0,
		);
		$name = $this->name( $user ) . ( $all ? '_all' : '' );
		$kept = get_site_transient( $name );
		$kept = is_array( $kept ) ? $kept + $none : $none;
		if ( ! $this->settings->complete() ) {
			return $none;
		}
		if ( get_site_transient( $this->away() ) ) {
			return $kept;
		}
		$answer = $this->send( $user, $all ? '?all=1' : '', array( 'headers' => array( 'If-None-Match' => $kept['etag'] ) ) );
		$status = (int) wp_remote_retrieve_response_code( $answer );
		if ( 304 === $status ) {
			return $kept;
		}
		if ( 403 === $status ) {
			delete_site_transient( $name );
			return $none;
		}
		$content = json_decode( wp_remote_retrieve_body( $answer ), true );
		if ( 200 !== $status || ! is_array( $content ) || ! is_array( $content['notices'] ?? null ) ) {
			set_site_transient( $this->away(), 1, self::LEAVE );
			return $kept;
		}
		$kept = array(
			'etag'    => (string) wp_remote_retrieve_header( $answer, 'etag' ),
			'notices' => array_values( array_filter( $content['notices'], 'is_array' ) ),
			'more'    => (int) ( $content['more'] ?? 0 ),
		);
		set_site_transient( $name, $kept, self::KEEP );
		return $kept;
	}

	/**
	 * Tell what the user did. False when Envoi did not take it.
	 *
	 * @param WP_User              $user Who did it.
	 * @param string               $path Below /n/v1/notices/.
	 * @param array<string, mixed> $body What to say.
	 */
	public function tell( WP_User $user, string $path, array $body = array() ): bool {
		$answer = $this->send(
			$user,
			'/' . $path,
			array(
				'method'  => 'POST',
				'headers' => array( 'Content-Type' => 'application/json' ),
				'body'    => (string) wp_json_encode( (object) $body ),
			)
		);
		if ( 204 !== (int) wp_remote_retrieve_response_code( $answer ) ) {
			return false;
		}
		if ( 'seen' !== $path ) {
			delete_site_transient( $this->name( $user ) );
			delete_site_transient( $this->name( $user ) . '_all' );
		}
		return true;
	}

	/**
	 * Ask once and give the status; 0 when there was no answer.
	 *
	 * @param WP_User $user Who is looking.
	 */
	public function try_out( WP_User $user ): int {
		delete_site_transient( $this->away() );
		return (int) wp_remote_retrieve_response_code( $this->send( $user, '', array() ) );
	}

	/**
	 * Send a signed request.
	 *
	 * @param WP_User              $user      In whose name.
	 * @param string               $path      Below /n/v1/notices.
	 * @param array<string, mixed> $arguments Of wp_remote_request().
	 * @return array<string, mixed>|WP_Error
	 */
	private function send( WP_User $user, string $path, array $arguments ) {
		/**
		 * Filters how Envoi knows the user: 'mail:' and an address, 'ref:' and a reference, or 'id:' and a number.
		 *
		 * @param string  $customer The customer.
		 * @param WP_User $user     The user.
		 */
		$customer = (string) apply_filters( 'envoi_notices_customer', 'mail:' . $user->user_email, $user );
		$expires  = (string) ( time() + self::VOUCH_FOR );
		$headers  = array(
			'X-Envoi-Key'       => $this->settings->key(),
			'X-Envoi-Customer'  => rawurlencode( $customer ),
			'X-Envoi-Expires'   => $expires,
			'X-Envoi-Signature' => hash_hmac( 'sha256', $customer . "\n" . $expires, $this->settings->secret() ),
		);
		return wp_remote_request(
			$this->settings->url() . '/n/v1/notices' . $path,
			array(
				'timeout'     => self::TIMEOUT,
				'redirection' => 0,
				'headers'     => array_merge( $headers, $arguments['headers'] ?? array() ),
			) + $arguments
		);
	}

	/**
	 * Under which name the copy of this user is kept: another one when the settings change.
	 *
	 * @param WP_User $user Whose copy.
	 */
	private function name( WP_User $user ): string {
		return 'envoi_notices_' . $user->ID . '_' . $this->place();
	}

	/**
	 * Under which name it is kept that Envoi does not answer.
	 */
	private function away(): string {
		return 'envoi_notices_away_' . $this->place();
	}

	/**
	 * A short mark of the settings.
	 */
	private function place(): string {
		return substr( md5( $this->settings->url() . ' ' . $this->settings->key() ), 0, 8 );
	}
}
